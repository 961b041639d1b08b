"""Pictures that show the same on both sides of a split are found by what they show."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy.ndimage import zoom
from sklearn.datasets import load_digits
from tests.cli.conftest import trackrecord

from trackrecord.data.ingest.alike import hash_of
from trackrecord.data.leakage.audit import audit_world
from trackrecord.data.leakage.signs.pictures import near_limit, near_pictures
from trackrecord.data.leakage.world import world_of

DRAW = np.random.default_rng(3)


def fields(count: int) -> np.ndarray:
    """Greys (count, 64, 64) without any sense, as different as photographs are."""
    coarse = DRAW.normal(size=(count, 12, 12))
    smooth = np.stack([zoom(one, 64 / 12, order=3) for one in coarse])
    return np.clip(128 + 60 * smooth, 0, 255)


def table(greys: np.ndarray, label: np.ndarray | None = None) -> pl.DataFrame:
    label = DRAW.integers(0, 2, len(greys)) if label is None else label
    return pl.DataFrame({"phash": [hash_of(one) for one in greys], "y": label})


def found(train: pl.DataFrame, test: pl.DataFrame) -> Any:
    (sign,) = near_pictures(world_of(train, test, "y"))
    return sign


def test_different_pictures_are_clean() -> None:
    sign = found(table(fields(400)), table(fields(100)))
    assert not sign.large
    assert sign.value == 0


@pytest.mark.parametrize(
    "changed",
    [
        lambda grey: np.clip(grey * 1.3, 0, 255), lambda grey: grey * 0.6,
        lambda grey: np.round(grey / 16) * 16,
        lambda grey: grey + np.random.default_rng(1).normal(0, 8, grey.shape),
    ],
)  # fmt: skip
def test_brightened_coarsened_and_noisy_copies_are_found(
    changed: Callable[[np.ndarray], np.ndarray],
) -> None:
    train, test = fields(400), fields(100)
    test[:6] = changed(train[:6])
    sign = found(table(train), table(test))
    assert sign.large
    assert sign.rows == [0, 1, 2, 3, 4, 5]
    assert sign.lo < 0.06 < sign.hi


def test_pictures_that_are_alike_by_nature_are_no_copies() -> None:
    digits = load_digits()
    greys = np.kron(digits.images * 15, np.ones((1, 8, 8)))
    train, test = (
        table(greys[:1200], digits.target[:1200]),
        table(greys[1200:], digits.target[1200:]),
    )
    assert not found(train, test).large
    leaked = pl.concat([test, table(greys[:20] * 0.7, digits.target[:20])])
    assert found(train, leaked).large


def test_a_set_of_one_picture_has_no_limit_and_no_finding() -> None:
    same = np.repeat(fields(1), 50, axis=0)
    assert near_limit(np.ones((50, 144), np.float32), np.random.default_rng(0)) == 0
    assert found(table(same), table(same)).value == 1  # they are copies, all of them


def test_columns_that_are_no_hashes_are_left_alone() -> None:
    frame = pl.DataFrame({"phash": ["x"] * 20, "b_phash": [None] * 20, "y": [0, 1] * 10})
    assert list(near_pictures(world_of(frame, frame, "y"))) == []


def test_the_audit_names_it() -> None:
    train, test = table(fields(300)), table(fields(80))
    test = pl.concat([test[5:], train[:5]])
    leaks = audit_world(world_of(train, test, "y")).findings
    assert "near-pictures" in {leak.detector for leak in leaks}


def photographs() -> dict[str, Any]:
    """Crops of scikit-learn's two photographs, and scikit-image's own pictures where they are."""
    image = pytest.importorskip("PIL.Image")
    from sklearn.datasets import load_sample_image

    found = {}
    for name in ("china.jpg", "flower.jpg"):
        whole = image.fromarray(load_sample_image(name))
        for left in range(0, whole.width - 160, 80):
            for top in range(0, whole.height - 140, 140):
                box = (left, top, left + 80, top + 140)
                found[f"{name[:-4]}-{left}-{top}.png"] = whole.crop(box)
    try:
        import skimage.data
    except ImportError:
        return found
    for path in sorted(Path(skimage.data.__file__).parent.glob("*.png")):
        if path.name == "chessboard_GRAY.png":  # the other one in grey
            continue
        found[path.name] = image.open(path).convert("RGB")
    return found


@pytest.mark.slow
def test_photographs_resized_compressed_and_brightened_are_found_from_the_folder_to_the_audit(
    tmp_path: Path,
) -> None:
    enhance = pytest.importorskip("PIL.ImageEnhance")
    trackrecord("init", tmp_path / "w")
    every = photographs()
    names = [*every]
    DRAW.shuffle(names)
    half = len(names) // 2
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()

    def save(picture: Any, folder: str, name: str, **more: Any) -> None:
        buffer = io.BytesIO()
        picture.convert("RGB").save(buffer, "JPEG" if name.endswith("jpg") else "PNG", **more)
        (tmp_path / folder / name).write_bytes(buffer.getvalue())

    for name in names[:half]:
        save(every[name], "train", name)
    for name in names[half:]:
        save(every[name], "test", name)

    def leaks(name: str) -> tuple[Any, pl.Series]:
        """What the detector says, and the planted pictures that have a hash."""
        told = trackrecord("data", "add", tmp_path / "test", "--name", name, at=tmp_path / "w")
        assert told.code == 0, told.err
        sides = [pl.read_parquet(tmp_path / f"w/data/{part}.parquet") for part in ("train", name)]
        sides = [side.with_columns(y=pl.int_range(side.height) % 2) for side in sides]
        (sign,) = near_pictures(world_of(*sides, "y"))
        paths = sides[1].drop_nulls("phash")["path"]
        return sign, paths.filter(paths.str.starts_with("zz-"))

    trackrecord("data", "add", tmp_path / "train", "--name", "train", at=tmp_path / "w")
    clean, _ = leaks("clean")
    assert (clean.value, clean.large) == (0, False)
    copies = {
        "resized": lambda p: p.resize((p.width // 2, p.height // 2)),
        "brightened": lambda p: enhance.Brightness(p).enhance(1.3),
        "contrast": lambda p: enhance.Contrast(p).enhance(1.4),
    }
    for what, change in copies.items():
        for name in names[:half]:
            save(change(every[name]), "test", f"zz-{what}-{name[:-4]}.jpg", quality=60)
    leaked, planted = leaks("leaked")
    count = round(leaked.value * leaked.n)
    print(f"{count} of {len(planted)} planted pictures found")
    assert leaked.large
    assert 0.85 * len(planted) <= count <= len(planted)
