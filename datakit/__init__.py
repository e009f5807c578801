"""datakit: the data loop for fine-tuning PP-OCR.

Importing this package imports neither Paddle, cv2 nor font libraries.
"""

__version__ = "0.1.0"
