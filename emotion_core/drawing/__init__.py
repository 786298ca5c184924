"""Faces drawn by code, for the sample: a person, an expression, and the strokes that show both."""
