"""Facial-emotion recognition: data, training, saved runs and classification.

This package is the library under the dashboard and has no user interface of its own. It never imports
Streamlit. Importing it, or any module other than those that compute inside a training process (`batches`, `callbacks`,
`export`, most of `models` and `trainers`), loads neither Keras nor TensorFlow.
"""

__version__ = "0.1.0"
