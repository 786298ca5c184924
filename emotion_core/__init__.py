"""Facial-emotion recognition: data, training, saved runs and classification.

This package is the library under the dashboard and has no user interface of its own. It never imports
Streamlit, and importing it, or any module other than those that run inside a training process
(`batches`, `callbacks`, `evaluation`, `models`, `training`), loads neither Keras nor TensorFlow.
"""

__version__ = "0.1.0"
