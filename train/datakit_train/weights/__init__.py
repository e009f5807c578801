"""Weights: fetched, read without running code, converted, named as PaddleOCR does, stored as safetensors."""
