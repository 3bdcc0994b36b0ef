"""What may differ between Salt and Salar, and why. A row that fits nothing is a failure, so that the table stays true."""

import fnmatch
import re

from compare import text

# Reasons that several rows have.
WHOLE = "show_sls and show_low_sls show what a run will do: extend, exclude, use and the _in forms are carried out, prereq is no chunk twice"
UNKNOWN = "D17: an unknown function is a fault of compiling, told before anything runs"
NEWER = "where the compilers of 3007 and 3008 differ, we do as 3008"
DRY = "D1, D3: a dry run knows what the states before would have made, and says None exactly when something would change"
QUIET = "D4: compared only in what the file says, against libvirt's defaults"
PORTS = "D4: the ports that a NAT network has anyhow are not written into its definition"
STARS = "the pillar is shown to who asks for it; Salt 3008 covers it with stars"
NOWHERE = "where there is no such environment, that no SLS is in it need not be said"
BEYOND = "the same words, and then the cause or the remedy"
FIRST = "of a state that ended with an exception, Salt gives the first argument for the name"
# Nothing on our side: the key is Salt's alone.
NOTHING = r"\(nothing\)"

# Part, version of Salt or *, place (a pattern of the shell), what Salar answers (a regular expression), and the reason.
ALLOWED = [
    ("language", "*", "language/state.show_sls */answer/__e*__", NOTHING, WHOLE),
    ("language", "*", "language/state.show_sls exclude/answer/??", NOTHING, WHOLE),
    ("language", "*", "language/state.show_sls extend/answer/s1", r'.*"from outside".*', WHOLE),
    ("language", "*", "language/state.show_sls names/answer/n[13]", r'.*\{"q": 1\}.*', WHOLE),
    ("language", "*", "language/state.show_sls other_side/answer/e", r'.*"used".*', WHOLE),
    ("language", "*", "language/state.show_low_sls exclude/order", r'\["test.nop s1 s1", "test.nop stays stays"\]', WHOLE),
    ("language", "*", "language/state.show_low_sls exclude/test.nop ?? ??", NOTHING, WHOLE),
    ("language", "*", "language/state.show_low_sls extend/order", r'\["test.nop s2 s2", "test.nop s1 s1", .*', WHOLE),
    ("language", "*", "language/state.show_low_sls extend/test.nop s1 s1/comment", "from outside", WHOLE),
    ("language", "*", "language/state.show_low_sls extend/test.nop s1 s1/require", r'\[\{"test": "s2"\}\]', WHOLE),
    ("language", "*", "language/state.show_low_sls names/order", r'.*"test.nop n4 n4", "test.nop n2 n2", "test.nop n3 n3"\]', WHOLE),
    ("language", "*", "language/state.show_low_sls names/test.nop n1 ?/q", "1", WHOLE),
    ("language", "*", "language/state.show_low_sls names/test.nop n3 n3/[wq]", "[12]", WHOLE),
    ("language", "*", "language/state.show_low_sls other_side/test.nop e e/word", "used", WHOLE),
    ("language", "3008", "language/state.show_low_sls prereq/order", r'\["test.nop p1 p1", "test.succeed_with_changes p2 p2", .*', WHOLE),
    ("language", "3008", "language/state.show_low_sls prereq/*/__prereq*__", NOTHING, WHOLE),
    ("language", "3008", "language/state.show_low_sls prereq/* #[0-9]", NOTHING, WHOLE),
    ("language", "*", "language/state.show_low_sls requisites/test.nop i i/order", "1010100",
     "Salt counts the end from the first state of the file, and here from that of the file it includes"),
    ("language", "*", "language/state.* faults*/order", r'\["0"\]', UNKNOWN),
    ("language", "*", "language/state.* faults*/0", r"State 'test.no_such_function' was not found in SLS 'faults'\nReason: .*", UNKNOWN),
    ("language", "*", "language/state.* faults*/test*", NOTHING, UNKNOWN),
    ("language", "*", "language/state.show_sls faults/answer", NOTHING, UNKNOWN),
    ("language", "*", "language/state.show_low_sls fault_extend/*", r'\["0"\]|Cannot extend ID .nobody. in .*', "a fault is told whoever asks"),
    ("language", "*", "language/state.* fault_conflict/0", r"Detected conflicting IDs.*'base:sib' and SLS 'base:fault_conflict'",
     "the two files in the order of the run"),
    ("language", "*", "language/state.* fault_cycle/0", r"Recursive requisites were found: \(\{'SLS': 'fault_cycle', 'ID': 'a'\}.*",
     "the circle is told from the state that comes first"),
    ("language", "3007", "language/state.* fault_requisite/order", r'\["0"\]', NEWER),
    ("language", "3007", "language/state.* fault_requisite/0", "Referenced state does not exist for requisite .*", NEWER),
    ("language", "3007", "language/state.* fault_requisite/test*", NOTHING, NEWER),
    ("language", "3007", "language/state.show_low_sls wild/order", r'.*"test.nop later later", "test.nop by_id by_id", .*', NEWER),
    ("language", "*", "language/state.* fault_twice/0", r".*line 1, column 1\nfound conflicting ID 'a'\n  in line 2, column 1\n.*",
     "the lines themselves in place of '<unicode string>'"),
    ("language", "*", "language/state.apply conditions test=True/test_|-d_|-d_|-nop/*", "true|Success!",
     "check_cmd looks at what a state has done; in a dry run it has done nothing"),
    ("language", "*", "language/state.apply requisites test=True/test_|-l_|-l_|-nop/comment",
     "State was not run because onfail req did not change", "what would succeed has not failed in a dry run"),
    ("language", "3008", "language/pillar.items/answer/*", ".*(web|deep|disk).*", STARS),

    ("configuration", "*", "configuration/state.* saltenv=nowhere/order", r'\["0"\]', NOWHERE),
    ("configuration", "*", "configuration/state.* saltenv=nowhere/1", NOTHING, NOWHERE),
    ("configuration", "*", "configuration/state.* saltenv=nowhere/no_|-*/comment", "No Top file .*", BEYOND),
    ("configuration", "*", "configuration/pillar.items pillarenv=dev/answer/images", NOTHING,
     "pillarenv names the only environment, as Salt documents it; without a master it merges all"),
    ("configuration", "3008", "configuration/pillar.*/answer*", "shared|1", STARS),

    ("virt", "*", "virt/first-test/virt_|-data_|-data_|-volume_defined/name", "data", FIRST),
    ("virt", "*", "virt/first-test/virt_|-data_|-*", r'null|\{"pool0/data": .*|Volume data would be defined in pool pool0', DRY),
    ("virt", "*", "virt/first-test/virt_|-srv01_|-*", r'null|\{"srv01": .*|Domain srv01 defined and started', DRY),
    ("virt", "*", "virt/again*/virt_|-plain_pool_|-*", r"\{\}|true|Pool plain_pool already running", QUIET),
    ("virt", "*", "virt/again*/virt_|-plain_net_|-*", r"\{\}|true|Network plain_net unchanged and is running", QUIET),
    ("virt", "*", "virt/again-test/virt_|-net0_|-*/result", "true", DRY),
    ("virt", "*", "virt/*/xml/net-net0/xml/network.forward.nat.port@*", NOTHING, PORTS),
    ("virt", "*", "virt/*/xml/srv02/xml/domain.vcpu@current", NOTHING, "`cpu: 4` is four CPUs; Salt leaves two of them off, as they were"),
    ("virt", "*", "virt/changed-again/virt_|-net0_|-*", r"\{\}|Network net0 unchanged and is running",
     "D29: the range was changed on the running network, too"),
    ("virt", "*", "virt/changed-test/virt_|-late_|-srv04_|-running/*", r'null|\{"srv04": .*|Domain srv04 defined and started', DRY),
    ("virt", "*", "virt/*/xml/vol-pool0/in_folder_system.qcow2/volume.target.*", r"0600|\(nothing\)",
     "Salt runs qemu-img for a disk in a folder; here libvirt makes the volume of the pool that the folder is"),
    ("virt", "*", "virt/snapshots-test/virt_|-one_|-*/changes", r'\{"saved": .*"snapped-\(time\)-parity".*', "a dry run tells the name that the snapshot would get"),
    ("virt", "*", "virt/snapshots*/virt_|-raw_|-*", r'\{"ignored": .*its disk sda is raw.*|false|No changes had happened',
     "what cannot be is said with its remedy, also in a dry run"),
    ("virt", "*", "virt/snapshots*/virt_|-nobody_|-*/comment", "No changes had happened: there is no VM no-such-vm on this host", BEYOND),
    ("virt", "*", "virt/refused/virt_|-full_|-*", r"\{\}|false|Unable to create new disk a, please specify disk size .*",
     "Salt makes an empty volume that nothing fits into"),
    ("virt", "*", "virt/gone/xml/full", NOTHING, "the VM of that empty volume"),
    ("virt", "*", "virt/gone/xml/vol-pool0/full_a", NOTHING, "that empty volume"),
    ("virt", "*", "virt/refused/virt_|-volume_|-volume_|-volume_defined/name", "volume", FIRST),
    ("virt", "*", "virt/refused/virt_|-volume_|-*/comment", r"Storage pool nowhere not existing\. .+", BEYOND),
    ("virt", "*", "virt/life-test/virt_|-off_already_|-*", r"\{\}|true|No changes had happened", DRY),
    ("virt", "*", "virt/life*/virt_|-nobody_|-*/comment", "No changes had happened: there is no VM no-such-vm on this host", BEYOND),

    ("functions", "*", "functions/virt.cpu_baseline", r'\{"cpu@match": .*', "Salt gives the bytes of the XML as Python writes them"),
    ("functions", "*", "functions/virt.f*/freemem", "int", "Salt's division makes whole numbers fractions"),
    ("functions", "*", "functions/virt.freemem", "int", "Salt's division makes whole numbers fractions"),
    ("functions", "*", "functions/virt.*/2a:c3:a7:a6:01:04/target", "vnet[0-9]+", "the device of the running VM; Salt looks at the definition, which has none"),
    ("functions", "*", "functions/virt.*/2a:c3:a7:a6:01:04/addresses", r"\[.*\]", "a key more: the addresses that DHCP gave"),
    ("functions", "*", "functions/virt.get_hypervisor", "qemu", "libvirt is asked; Salt looks whether there is a file /dev/kvm"),
    ("functions", "*", "functions/virt.get_profiles/*/*", ".*", "also the profiles of the pillar, which states take as well"),
    ("functions", "*", "functions/virt.volume_infos*/used_by", r'\["srv01"\]', "also the VMs whose disk names pool and volume"),
]


def judge(part, version, found, show_all):
    """Prints what differs and is not declared, and what is declared and does not differ. Their number."""
    rows = [row for row in ALLOWED if row[0] == part and fnmatch.fnmatchcase(version, row[1])]
    used, wrong = set(), 0
    for place, theirs, ours in found:
        row = next((row for row in rows if fits(row, place, ours)), None)
        used.add(row)
        wrong += row is None
        if row is None or show_all:
            print(f"{'DIFFERS' if row is None else 'declared'} {place}" + (f"  [{row[4]}]" if row else ""))
            print(f"    salt  {text(theirs)}\n    salar {text(ours)}")
    for row in rows:
        if row not in used:
            wrong += 1
            print(f"OUTDATED {row[0]} {row[1]} {row[2]}: Salt and Salar do not differ here any more; take the row out of differences.py")
    print(f"salt-parity: {part} with Salt {version}: {len(found)} differences in {len(rows)} declared rows, {wrong} wrong")
    return wrong


def fits(row, place, ours):
    return fnmatch.fnmatchcase(place, row[2]) and re.fullmatch(row[3], text(ours), re.DOTALL)
