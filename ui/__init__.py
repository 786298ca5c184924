"""Streamlit around the library: caches, charts and widgets that several pages share.

Only `app.py`, `pages` and this package import Streamlit. Computation lives in `emotion_core`; what stands here only
asks, remembers and shows. Importing it loads neither Keras nor TensorFlow.
"""
