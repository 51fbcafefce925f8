import os
import shutil
import tarfile
import zipfile
from os.path import join
from pathlib import Path
from zipfile import ZipFile


def unpack_names(upload, target):
    with zipfile.ZipFile(upload) as archive:
        for name in archive.namelist():
            # ruleid: zip-member-path-join
            with open(os.path.join(target, name), "wb") as out:
                out.write(archive.read(name))


def unpack_infos(upload, target):
    archive = ZipFile(upload)
    for info in archive.infolist():
        if info.is_dir():
            continue
        destination = join(target, info.filename)
        os.makedirs(os.path.dirname(destination), exist_ok=True)
        # ruleid: zip-member-path-join
        with archive.open(info) as source, open(destination, mode="wb") as out:
            shutil.copyfileobj(source, out)


class Importer:
    def __init__(self, root: Path):
        self.root = root

    def load(self, archive):
        for name in sorted(archive.namelist()):
            # ruleid: zip-member-path-join
            (self.root / name).write_bytes(archive.read(name))

    def load_first(self, archive):
        first = archive.namelist()[0]
        target = self.root.joinpath(first)
        # ruleid: zip-member-path-join
        with target.open("wb") as out:
            out.write(archive.read(first))

    def load_tar(self, stream):
        with tarfile.open(fileobj=stream) as tar:
            for member in tar:
                # ruleid: zip-member-path-join
                with open(f"{self.root}/{member.name}", "wb") as out:
                    shutil.copyfileobj(tar.extractfile(member), out)


def unpack_tar_members(tar, target):
    for member in tar.getmembers():
        # ruleid: zip-member-path-join
        with open(target + "/" + member.name, "wb") as out:
            out.write(tar.extractfile(member).read())


def unpack_with_extract(upload, target):
    with zipfile.ZipFile(upload) as archive:
        for name in archive.namelist():
            # ok: zip-member-path-join
            archive.extract(name, target)


def unpack_flat(upload, target):
    with zipfile.ZipFile(upload) as archive:
        for name in archive.namelist():
            # ok: zip-member-path-join
            with open(os.path.join(target, os.path.basename(name)), "wb") as out:
                out.write(archive.read(name))


def unpack_checked(upload, target: Path):
    with zipfile.ZipFile(upload) as archive:
        for name in archive.namelist():
            path = (target / name).resolve()
            if not path.is_relative_to(target):
                raise ValueError(name)
            # ok: zip-member-path-join
            path.write_bytes(archive.read(name))


def unpack_prefix_checked(upload, target):
    root = os.path.realpath(target)
    with zipfile.ZipFile(upload) as archive:
        for info in archive.infolist():
            path = os.path.realpath(os.path.join(root, info.filename))
            if not path.startswith(root + os.sep):
                continue
            # ok: zip-member-path-join
            with open(path, "wb") as out:
                out.write(archive.read(info))


def unpack_numbered(upload, target):
    with zipfile.ZipFile(upload) as archive:
        for number, name in enumerate(archive.namelist()):
            data = archive.read(name)
            # ok: zip-member-path-join
            with open(os.path.join(target, f"{number}.bin"), "wb") as out:
                out.write(data)


def read_members(archive, folder):
    for name in archive.namelist():
        # ok: zip-member-path-join
        with open(os.path.join(folder, name), "rb") as stream:
            compare(stream.read(), archive.read(name))


def repack(source, target):
    with zipfile.ZipFile(target, "w") as out:
        for name in source.namelist():
            # ok: zip-member-path-join
            with out.open(name, "w") as stream:
                stream.write(source.read(name))
