"""What the tests on real hosts share: commands, waiting, a server, hosts that are reached over ssh."""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(os.environ.get("SALAR_BIN_DIR") or ROOT / "target/debug").resolve()
# Emulation is slow, and slower beside other work: generous, and never a measure of speed.
PATIENCE = 240


class Failed(Exception):
    """A step did not end as it should."""


def run(*command, check=True, timeout=PATIENCE, **more):
    """A command's output; a failure says what it printed."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout, **more)
    if check and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: {(done.stderr or done.stdout).strip()[-800:]}")
    return done.stdout


def until(what, probe, limit=PATIENCE, pause=0.1):
    """Waits until `probe` answers something true, and gives that back."""
    end = time.monotonic() + limit
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {limit} s")
        time.sleep(pause)


class Salar:
    """A server, its API, its command line."""

    LOCAL_AGENT = ("--hypervisor", "test:///default", "--id", "none")

    def __init__(self, folder, options=LOCAL_AGENT, agents="127.0.0.1", states=None, environment=None):
        self.folder = folder
        self.states = states or folder / "srv"
        self.states.mkdir(exist_ok=True)
        self.log = open(folder / "salar.log", "w+")
        state_dir = folder / "s"
        state_dir.mkdir()
        self.command = ["serve", "--state-dir", state_dir, "--listen", "127.0.0.1:0", "--listen-agents", f"{agents}:0"]
        self.command += [*options, "--file-root", self.states]
        self.environment = {**os.environ, "SALAR_STATE_DIR": str(state_dir), "NO_COLOR": "1", **(environment or {})}
        self.start()

    def start(self):
        """Starts it, also again; then it is where it was."""
        before = len(self.said())
        self.process = subprocess.Popen([PROGRAMS / "salar", *self.command], stdout=self.log, stderr=self.log,
                                        env=self.environment)
        listens = lambda: re.search(r"Ready at\s+\S+:(\d+)\n[\s\S]*Agents at\s+\S+:(\d+)", self.said()[before:])
        said = until("salar serve says where it listens", listens, 60)
        self.port, self.agents_port = int(said.group(1)), int(said.group(2))
        # What was given by the system is kept.
        for option, port in (("--listen", self.port), ("--listen-agents", self.agents_port)):
            place = self.command.index(option) + 1
            self.command[place] = re.sub(r":0$", f":{port}", self.command[place])
        client = json.loads((self.folder / "s/client.json").read_text())
        self.url, self.token = client["url"].rstrip("/"), client["token"]

    def said(self):
        return (self.folder / "salar.log").read_text()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)

    def ask(self, path, body=None):
        """A request of the API: status and document. With a body it is a POST."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v1/{path}", data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def get(self, path):
        status, answer = self.ask(path)
        if status != 200:
            raise Failed(f"GET {path}: {status} {answer}")
        return answer

    def cli(self, *words, check=True):
        return run(PROGRAMS / "salar", *words, check=check, env=self.environment)

    def call(self, target, fun, *arguments):
        """What a function returns, by host."""
        said = self.cli("run", target, fun, *arguments, "--out", "json", check=False).strip()
        answers, rest = {}, said
        try:
            # One document for each host, as its answer comes.
            while rest:
                answer, end = json.JSONDecoder().raw_decode(rest)
                answers.update(answer)
                rest = rest[end:].lstrip()
            return answers
        except ValueError:
            raise Failed(f"{fun} {arguments} on {target}: {said[-500:]}") from None

    def screen(self, vm):
        """Opens the screen of a VM: the first bytes are those of a VNC server."""
        status, answer = self.ask(f"vms/{vm['id']}/console", {})
        if status not in (200, 201):
            raise Failed(f"{status} {answer}")
        host, port = self.url.split("//")[1].split(":")
        with socket.create_connection((host, int(port)), 60) as stream:
            key = base64.b64encode(os.urandom(16)).decode()
            stream.sendall(
                (f"GET {answer['path']} HTTP/1.1\r\nHost: {host}:{port}\r\nOrigin: {self.url}\r\nUpgrade: websocket\r\n"
                 f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n"
                 f"Authorization: Bearer {self.token}\r\n\r\n").encode())
            said = b""
            while b"RFB 003" not in said:
                more = stream.recv(4096)
                if not more:
                    raise Failed(f"the console says {said[:300]!r}")
                said += more

    def host(self, name):
        rows = self.get("hosts?limit=200")["items"]
        return next((row for row in rows if row["name"] == name), None)

    def vm(self, host, name):
        rows = self.get("vms?limit=200")["items"]
        return next((row for row in rows if row["name"] == name and row["host"]["name"] == host), None)

    def write(self, sls, state):
        """A state file; JSON is YAML."""
        (self.states / f"{sls}.sls").write_text(json.dumps(state, indent=1))


class Ssh:
    """ssh of a host in namespaces (lab/test-host), reached at a port of this machine, with a key that may log in."""

    def __init__(self, host_folder):
        self.host_folder = host_folder
        self.folder = host_folder / "ssh"
        self.folder.mkdir(mode=0o700)
        self.key_file = self.folder / "login"
        self.make_key(self.key_file)
        self.connections = []
        self.new_host_key()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def make_key(self, path):
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path)

    def new_host_key(self):
        """What a host shows that was installed anew, or that is another one."""
        host_key = self.folder / f"host{len(list(self.folder.glob('host*.pub')))}"
        self.make_key(host_key)
        self.fingerprint = run("ssh-keygen", "-l", "-f", f"{host_key}.pub").split()[1]
        (self.folder / "config").write_text(
            f"HostKey {host_key}\nAuthorizedKeysFile {self.key_file}.pub\nPermitRootLogin yes\nStrictModes no\n"
            "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nPidFile none\n")

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            # The folder of its separation of privileges is one of /run, which the host has for itself.
            command = [ROOT / "lab/test-host", "--dir", self.host_folder, "exec", "sh", "-c",
                       f"mkdir -p /run/sshd && exec /usr/sbin/sshd -i -e -f {self.folder}/config"]
            with open(self.folder / "log", "a") as log:
                process = subprocess.Popen(command, stdin=connection, stdout=connection, stderr=log, start_new_session=True)
            connection.close()
            self.connections.append(process)

    def processes(self):
        """Every process of a connection that is open."""
        parents = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            try:
                words = status.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            parents[int(status.parent.name)] = int(words[1])
        found = {process.pid for process in self.connections if process.poll() is None}
        while True:
            more = {pid for pid, parent in parents.items() if parent in found} - found
            if not more:
                return found
            found |= more

    def signal(self, number):
        """Stops, continues or kills all connections: a network that is stalled, that goes on, that is cut."""
        for pid in self.processes():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def uri(self, path="/system"):
        return f"qemu+ssh://root@127.0.0.1:{self.port}{path}"

    def close(self):
        self.listener.close()
        self.signal(signal.SIGKILL)
        for process in self.connections:
            process.wait(10)


def attempt(steps, *arguments):
    """Runs named steps until one fails; how many passed, and how many failed."""
    passed = 0
    for name, function in steps:
        began = time.monotonic()
        try:
            function(*arguments)
        except (Failed, subprocess.TimeoutExpired, ValueError, KeyError, OSError) as failure:
            print(f"FAILED  {time.monotonic() - began:6.1f} s  {name}  ({type(failure).__name__}: {failure})", flush=True)
            return passed, 1
        print(f"passed  {time.monotonic() - began:6.1f} s  {name}", flush=True)
        passed += 1
    return passed, 0


def remove(folder):
    """The folder of a run, unless somebody wants to look at it."""
    if not os.environ.get("SALAR_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
