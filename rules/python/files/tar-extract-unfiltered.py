import contextlib
import io
import shutil
import tarfile
import tarfile as tf
import zipfile
from shutil import unpack_archive
from tarfile import open as open_tar


def restore(backup, target):
    with tarfile.open(backup, "r:gz") as archive:
        # ruleid: tar-extract-unfiltered
        archive.extractall(path=target)


def restore_here(backup):
    bundle = open_tar(backup)
    # ruleid: tar-extract-unfiltered
    bundle.extractall()
    bundle.close()


def restore_from_bytes(data, target):
    # ruleid: tar-extract-unfiltered
    tf.open(fileobj=io.BytesIO(data)).extractall(target)


def restore_some(backup, target, wanted):
    with contextlib.closing(tarfile.open(backup)) as archive:
        for member in archive.getmembers():
            if member.name in wanted:
                # ruleid: tar-extract-unfiltered
                archive.extract(member, target)


class Installer:
    def __init__(self, target):
        self.target = target

    def unpack(self, tarball: tarfile.TarFile):
        # ruleid: tar-extract-unfiltered
        tarball.extractall(
            self.target,
            numeric_owner=True,  # keep ids
        )

    def unpack_wide(self, tarball):
        # ruleid: tar-extract-unfiltered
        tarball.extractall(
            path=self.target,
            numeric_owner=True,
        )

    def unpack_all(self, tarballs):
        # ruleid: tar-extract-unfiltered
        return [tar.extractall(self.target) for tar in tarballs]

    def unpack_trusting(self, name):
        with tarfile.TarFile(name) as archive:
            # ruleid: tar-extract-unfiltered
            archive.extractall(self.target, filter="fully_trusted")


def unpack_release(target):
    # ruleid: tar-extract-unfiltered
    shutil.unpack_archive("release-1.4.tar.gz", target)
    # ruleid: tar-extract-unfiltered
    unpack_archive("release-1.4.bin", extract_dir=target, format="xztar")


def restore_safely(backup, target):
    with tarfile.open(backup) as archive:
        # ok: tar-extract-unfiltered
        archive.extractall(target, filter="data")


def restore_with_own_filter(backup, target, keep):
    with tarfile.open(backup) as archive:
        # ok: tar-extract-unfiltered
        archive.extractall(target, filter=keep)


def restore_members(backup, target):
    with tarfile.open(backup) as archive:
        # ok: tar-extract-unfiltered
        archive.extractall(target, members=inside_only(archive, target))


def restore_on_any_version(backup, target):
    with tarfile.open(backup) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extractall(target, filter="data")
        else:
            # ok: tar-extract-unfiltered
            archive.extractall(target)


def restore_zip(backup, target):
    with zipfile.ZipFile(backup) as archive:
        # ok: tar-extract-unfiltered
        archive.extractall(target)


def unpack_zip(backup, target):
    # ok: tar-extract-unfiltered
    shutil.unpack_archive(backup, target, format="zip")
    # ok: tar-extract-unfiltered
    shutil.unpack_archive("release-1.4.zip", target)


def find_numbers(parser, text):
    # ok: tar-extract-unfiltered
    return parser.extract(text)
