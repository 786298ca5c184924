"""The networks: each family's settings in, a Keras model out. Nothing here trains, saves or reads files.

`counts` reckons sizes and works without Keras; `build` makes the models and is imported by training processes only.
"""
