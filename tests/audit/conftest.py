import cv2
import numpy as np
import pytest


class Folder:
    """A folder with pictures and a label file."""

    def __init__(self, path):
        self.path = path

    def picture(self, name, width=120, height=40):
        target = self.path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(target), np.full((height, width, 3), 200, np.uint8))
        return name

    def labels(self, data, name="labels.txt"):
        target = self.path / name
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
        return target


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
