"""Salt's own salt-call, from PyPI, to compare with: installed once into the cache."""

import json
import os
import pathlib
import subprocess
import sys

CACHE = pathlib.Path(
    os.environ.get("SALAR_CACHE") or pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "salar"
)


def program(version):
    """Path of a salt-call of this version, with the binding for libvirt."""
    folder = CACHE / f"salt-{version}"
    if not (folder / "ready").exists():
        print(f"installing Salt {version} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        packages = [f"salt=={version}.*", "libvirt-python==9.0.0"]
        if version != "3007":
            packages += ["saltext.virt", "saltext.libvirt-events"]
        subprocess.run([folder / "bin/pip", "install", "--quiet", *packages], check=True)
        (folder / "ready").touch()
    return folder / "bin/salt-call"


def command(version, folder, file_root, uri, pillar_root=None):
    """The first words of a call on the hypervisor `uri`, with `folder` for Salt's own files."""
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "file_client": "local",
        "id": "kvm1",
        "root_dir": str(folder),
        "file_roots": {"base": [str(file_root)]},
        "virt": {"connection": {"uri": uri}},
    }
    if pillar_root is not None:
        config["pillar_roots"] = {"base": [str(pillar_root)]}
    (folder / "minion").write_text(json.dumps(config))
    return [program(version), "--local", "--config-dir", folder, "--out", "json", "--log-level", "quiet"]
