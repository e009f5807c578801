import zlib

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
        # Something else on every picture: none is blank, and none a copy of another.
        noise = np.random.default_rng(zlib.crc32(name.encode())).integers(
            0, 256, (height, width, 3), np.uint8
        )
        assert cv2.imwrite(str(target), noise)
        return name

    def labels(self, data, name="labels.txt"):
        target = self.path / name
        target.write_bytes(data if isinstance(data, bytes) else data.encode())
        return target


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path)
