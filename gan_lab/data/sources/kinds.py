"""What a file is by its name, for whoever gave it to a reader of something else: which dataset reads it instead."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath

from gan_lab.data.sources.listed import listed
from gan_lab.data.sources.paths import shell

ARRAYS = (".npz", ".npy", ".h5", ".hdf5", ".hdf")
TABLES = (".csv", ".tsv", ".json", ".jsonl")
PICTURES = frozenset(
    ".png .jpg .jpeg .jpe .jfif .webp .gif .bmp .dib .tif .tiff .ppm .pgm .pbm .jp2 .avif .qoi .ico .tga .heic".split()
)
VIDEOS = frozenset(".mp4 .avi .mov .mkv .webm .m4v .mpg .mpeg .wmv".split())
ARCHIVES = frozenset(".zip .tar .tgz .tbz .tbz2 .gz .bz2 .xz .txz .zst .7z .rar".split())
READ_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2")
PICKLES = frozenset(".pkl .pickle .pt .pth .ckpt".split())
SAVED = ("state.json", "dataset_dict.json")  # what `save_to_disk` of Hugging Face's datasets writes
RECORDS = {
    ".arrow": "Arrow records; give the folder that holds them: dataset=huggingface dataset.source.path=FOLDER",
    ".mdb": "an LMDB; dataset=lsun reads those of LSUN, others must become a folder of pictures",
    ".tfrecord": "TFRecords, which are not read; write its pictures into a folder",
    ".tfrecords": "TFRecords, which are not read; write its pictures into a folder",
    ".mat": "a MATLAB file; save its arrays as an npz, which dataset=arrays reads",
}


def suffix(path: PurePath) -> str:
    return path.suffix.lower()


def is_read_archive(path: PurePath) -> bool:
    """Whether it is called as archives are that are read as they are."""
    return path.name.lower().endswith(READ_ARCHIVES)


def may_be_picture(path: PurePath) -> bool:
    """Whether it is not called as files of another kind are."""
    return suffix(path) not in {*ARRAYS, ".parquet", *VIDEOS, *ARCHIVES, *PICKLES, *RECORDS}


def told(path: Path) -> str | None:
    """What the file at `path` is, and how it is read, as the end of a sentence; None where its name does not tell."""
    kind, shown = suffix(path), shell(path)
    if kind in ARRAYS:
        return f"an array file: dataset=arrays dataset.path={shown}"
    if kind == ".parquet":
        return f"a Parquet file: dataset=parquet dataset.path={shown}"
    if kind in TABLES:
        return f"a table; dataset.path is the folder of the images, and dataset.labels={shown} their labels"
    if kind in PICTURES:
        return f"one picture; give the folder that it lies in: dataset.path={shell(path.parent)}"
    if kind in VIDEOS:
        return f"a video; save its frames as pictures first: ffmpeg -i {shown} FOLDER/%06d.png"
    if is_read_archive(path):
        return f"an archive; of pictures dataset=folder dataset.path={shown} reads it"
    if kind in ARCHIVES:
        return "an archive that is not read; unpack it, and give the folder"
    if kind in PICKLES:
        return "Python objects, which are not read; save the images as an npz, which dataset=arrays reads"
    return RECORDS.get(kind)


def told_of_files(folder: Path, names: Sequence[str]) -> str | None:
    """The same of the files below `folder`, which are called `names`: what reads them, where they are no pictures."""
    files = [folder / name for name in names]
    if any(path.name in SAVED for path in files):
        return f"a data set that Hugging Face's datasets saved: dataset=huggingface dataset.source.path={shell(folder)}"
    kinds = {suffix(path) for path in files}
    if ".parquet" in kinds:
        return f"Parquet files: dataset=parquet dataset.path={shell(folder)}"
    for some in (frozenset(ARRAYS), ARCHIVES, VIDEOS, frozenset(RECORDS)):
        found = [path for path in files if suffix(path) in some]
        if found and some == ARCHIVES and (len(found) > 1 or not folder.is_dir()):
            return f"{len(found)} archives ({listed([path.name for path in found], 3)}); unpack them"
        if len(found) == 1:
            return f"{found[0].name}, {told(found[0])}"
        if found:
            return f"{len(found)} files like {found[0].name}, {told(found[0])}"
    return None
