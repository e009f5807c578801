"""Weights: fetched, read without running code, converted, named as PaddleOCR names them, stored as safetensors."""
