"""A trained model as files that another process can serve: ONNX or skops, and what they expect.

Importing this costs nothing; scikit-learn, ONNX and skops load inside the functions that use them.
"""
