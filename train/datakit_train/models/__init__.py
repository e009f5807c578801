"""Networks with PaddleOCR's parameter names, so that its ``.pdparams`` files load as they are."""
