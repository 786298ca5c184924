"""The networks: each family's settings in, a Keras model out. Nothing here trains, saves or reads files.

`parameters` and `operations` reckon sizes and work without Keras; `build` makes the models and is imported by training
processes only.
"""
