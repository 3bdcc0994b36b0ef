/** The Overview tab: facts, disks, NICs, graphics, latest tasks. */
import { Skeleton } from '@patternfly/react-core'
import type { Disk, Graphics, Nic, Vm, VmDetail } from '../../api/types'
import { collections } from '../../live/live'
import { Ago } from '../../parts/Ago'
import { Facts, type Fact } from '../../parts/Facts'
import { guestKind, sizeText } from '../../parts/format'
import { PlainTable } from '../../parts/PlainTable'
import { ProblemAlert } from '../../parts/ProblemAlert'
import { Section } from '../../parts/Section'
import { LiveTaskCard } from '../../parts/tasks/TaskCard'
import { useList } from '../../parts/useLive'
import { common, statusLabel, vm as words } from '../../text/en'
import { useVm } from './useVm'

export function VmOverview() {
  const { vm, detail, error, retry } = useVm()
  if (vm === undefined) return null
  return (
    <div className="two-columns">
      <div className="column">
        {error !== undefined && <ProblemAlert error={error} onRetry={retry} />}
        <Section title={words.facts}>
          <VmFacts vm={vm} detail={detail} />
        </Section>
      </div>
      <div className="column">
        <Section title={words.disks}>
          {detail === undefined ? <Loading /> : <Disks disks={detail.disks} />}
        </Section>
        <Section title={words.nics}>
          {detail === undefined ? <Loading /> : <Nics nics={detail.nics} />}
        </Section>
        <Section title={words.graphics}>
          {detail === undefined ? <Loading /> : <GraphicsTable graphics={detail.graphics} />}
        </Section>
        <Section title={words.tasks}>
          <LatestTasks vm={vm} />
        </Section>
      </div>
    </div>
  )
}

function Loading() {
  return <Skeleton screenreaderText={common.loading} />
}

function VmFacts({ vm, detail }: { vm: Vm; detail: VmDetail | undefined }) {
  const facts: Fact[] = [
    [common.status, statusLabel(vm.status)],
    [words.reason, vm.status_reason],
    [words.vcpus, words.vcpusOf(vm.vcpus, vm.vcpus_max)],
    [words.memory, words.memoryOf(sizeText(vm.memory_bytes), sizeText(vm.memory_max_bytes))],
    [words.addresses, vm.addresses.join(', ')],
    [words.autostart, vm.autostart ? common.yes : common.no],
    [words.persistent, vm.persistent ? words.isPersistent : words.isTransient],
    [words.managedSave, vm.has_managed_save ? words.hasManagedSave : common.none],
    [words.kind, guestKind(vm.domain_type, detail?.os_type)],
    [words.osType, detail?.os_type],
    [words.arch, detail?.arch],
    [words.domainId, detail?.domain_id],
    [words.uuid, detail?.uuid],
    [words.titleField, detail?.title],
    [words.description, detail?.description],
    [words.observed, <Ago key="observed" at={vm.observed_at} />],
  ]
  return <Facts facts={facts} />
}

function Disks({ disks }: { disks: readonly Disk[] }) {
  return (
    <PlainTable
      label={words.disks}
      empty={words.noDisks}
      heads={[words.target, words.source, words.format, words.bus, words.device, words.access]}
      rows={disks.map((disk) => [
        disk.target,
        disk.source === '' ? words.emptyDrive : disk.source,
        disk.format,
        disk.bus,
        disk.device,
        disk.read_only ? words.readOnly : words.readWrite,
      ])}
    />
  )
}

function Nics({ nics }: { nics: readonly Nic[] }) {
  return (
    <PlainTable
      label={words.nics}
      empty={words.noNics}
      heads={[words.mac, words.network, words.kind, words.model, words.addresses, words.interface]}
      rows={nics.map((nic) => [
        nic.mac,
        nic.source,
        nic.kind,
        nic.model,
        nic.addresses.join(', '),
        nic.target ?? common.dash,
      ])}
    />
  )
}

function GraphicsTable({ graphics }: { graphics: readonly Graphics[] }) {
  return (
    <PlainTable
      label={words.graphics}
      empty={words.noGraphics}
      heads={[words.kind, words.listen, words.port]}
      rows={graphics.map((one) => [
        one.kind.toUpperCase(),
        one.listen,
        one.port == null ? common.dash : String(one.port),
      ])}
    />
  )
}

const latest = 5

/** The API finds tasks by their sentence, which names the VM; those of others with a similar name are left out here. */
function LatestTasks({ vm }: { vm: Vm }) {
  const { view } = useList('actions', { search: vm.name, sort: '-created' }, 20)
  const ids = Array.from({ length: Math.min(view.total, 20) }, (_, index) => view.idAt(index))
  return <TaskCards ids={ids.filter((id) => id !== undefined)} vmId={vm.id} />
}

function TaskCards({ ids, vmId }: { ids: readonly string[]; vmId: string }) {
  const own = ids.filter((id) => collections.actions.get(id)?.vm_id === vmId).slice(0, latest)
  if (own.length === 0) return <p className="quiet">{words.noTasks}</p>
  return own.map((id) => <LiveTaskCard key={id} id={id} isOnVmPage />)
}
