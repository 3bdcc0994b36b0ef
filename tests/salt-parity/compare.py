"""Two answers to one call, as the list of what differs between them: (place, Salt's, Salar's)."""

import json
import re
import xml.etree.ElementTree as ElementTree

# Times, numbers (those of Salt have gaps; the order is compared), and what only one of the two tells.
LEFT_OUT = {"start_time", "duration", "__run_num__", "__env__", "__state_ran__", "__sls_included_from__", "skip_watch"}
# Values of libvirt's own making, or that move by themselves: their shape is compared.
MOVING = {"uuid", "cputime", "cputime_percent", "freemem", "phymemory", "free", "allocation", "disk size", "vmsize", "date"}
MOVING_CALLS = {"virt.freemem", "virt.vm_cputime", "virt.vm_diskstats", "virt.vm_netstats"}
MISSING = "(nothing)"


def states(place, theirs, ours):
    """Chunks, results, or the faults of a compilation."""
    theirs, ours = by_key(theirs), by_key(ours)
    found = []
    if list(theirs) != list(ours):
        found.append((f"{place}/order", list(theirs), list(ours)))
    for key in [*theirs, *(key for key in ours if key not in theirs)]:
        found += values(f"{place}/{key}", theirs.get(key, MISSING), ours.get(key, MISSING), depth=1)
    return found


def by_key(answer):
    """The answer as a dictionary in the order of the run."""
    if isinstance(answer, list) and answer and all(isinstance(one, dict) for one in answer):
        keys = (f"{one.get('state')}.{one.get('fun')} {one.get('__id__')} {one.get('name')}" for one in answer)
        return numbered(zip(keys, map(kept, answer)))
    if isinstance(answer, dict) and all(isinstance(one, dict) and "result" in one for one in answer.values()):
        in_order = sorted(answer.items(), key=lambda pair: pair[1].get("__run_num__", 0))
        return {key: kept(result) for key, result in in_order}
    if isinstance(answer, list) and all(isinstance(one, str) for one in answer):
        return {str(number): fault(text) for number, text in enumerate(answer)}
    return {"answer": strip_env(answer)}


def numbered(pairs):
    out = {}
    for key, value in pairs:
        out[key if key not in out else f"{key} #{len(out)}"] = value
    return out


def kept(one):
    """A chunk or result in the words of both: no trace of Python, devices as what they hold, VMs in order of names."""
    one = {key: value for key, value in one.items() if key not in LEFT_OUT}
    if isinstance(one.get("comment"), str):
        one["comment"] = without_trace(one["comment"])
    if "changes" in one:
        one["changes"] = devices_read(one["changes"])
    return undated(one)


def undated(value):
    """Names of snapshots without the time of the run."""
    return json.loads(re.sub(r"-\d{8}-\d{6}", "-(time)", json.dumps(value)))


def without_trace(comment):
    """What an exception says, of a comment that has its whole trace (D15)."""
    if not comment.startswith("An exception occurred in this state: Traceback"):
        return comment
    return re.split(r"^[\w.]+(?:Error|Exception): ", comment, flags=re.MULTILINE)[-1].strip()


def devices_read(value):
    if isinstance(value, dict):
        return {key: devices_read(inner) for key, inner in value.items()}
    if isinstance(value, list):
        read = [devices_read(inner) for inner in value]
        return sorted(read, key=lambda one: one["domain"]) if all(isinstance(one, dict) and "domain" in one for one in read) else read
    return plain_xml(value) if isinstance(value, str) and value.startswith("<") else value


def strip_env(value):
    if isinstance(value, dict):
        return {key: strip_env(inner) for key, inner in value.items() if key not in LEFT_OUT}
    return value


def fault(text):
    """A fault of a compilation without the places, the rule and the remedy that only Salar adds."""
    added = ("  at: ", "  also: ", "  rule: ", "  remedy: ")
    return "\n".join(line for line in text.strip().splitlines() if not line.startswith(added))


def values(place, theirs, ours, depth=99):
    """Leaf by leaf, down to `depth` levels."""
    if theirs == ours and type(theirs) is type(ours):
        return []
    if depth and isinstance(theirs, dict) and isinstance(ours, dict):
        keys = [*theirs, *(key for key in ours if key not in theirs)]
        return [one for key in keys for one in values(
            f"{place}/{key}", theirs.get(key, MISSING), ours.get(key, MISSING), depth - 1)]
    if depth > 1 and isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        return [one for number, pair in enumerate(zip(theirs, ours)) for one in values(f"{place}/{number}", *pair, depth - 1)]
    return [(place, theirs, ours)]


def still(function, answer):
    """The answer with the types of what moves in place of the values."""
    if function in MOVING_CALLS:
        return shape(answer)
    if isinstance(answer, str) and answer.lstrip().startswith("<"):
        return plain_xml(answer)
    return held(answer)


def held(value):
    if isinstance(value, dict):
        return {key: shape(inner) if key in MOVING else held(inner) for key, inner in value.items()}
    return [held(inner) for inner in value] if isinstance(value, list) else value


def shape(value):
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value] if isinstance(value, list) else type(value).__name__


def plain_xml(text):
    """XML as a dictionary by path, without what libvirt chooses anew for each object."""
    out = {}

    def walk(node, path):
        for name, value in sorted(node.attrib.items()):
            out[f"{path}@{name}"] = value
        if (node.text or "").strip():
            out[path] = node.text.strip()
        elif not node.attrib and not len(node):
            out[path] = ""
        seen = {}
        for child in node:
            seen[child.tag] = seen.get(child.tag, 0) + 1
            several = len(node.findall(child.tag)) > 1
            walk(child, f"{path}.{child.tag}" + (f"[{seen[child.tag]}]" if several else ""))

    root = ElementTree.fromstring(text)
    walk(root, root.tag)
    # The letters of a MAC address are written either way.
    out = {path: value.lower() if path.endswith(("mac@address", "host@mac")) else value for path, value in out.items()}
    moving = {".uuid", ".allocation", ".available", ".physical", ".timestamps", ".target.timestamps",
              ".backingStore.timestamps"}
    return {path: value for path, value in out.items()
            if not any(path == root.tag + one or path.startswith(root.tag + one + ".") for one in moving)
            and not (path.endswith("mac@address") and not value.startswith("2a:c3:a7:"))}


def text(value):
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
