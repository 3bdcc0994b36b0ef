/**
 * The shape of the public API as TypeScript types, in the form `openapi-typescript` gives.
 */

export interface paths {
  '/api/v1/about': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_about']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/session': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_session']
    put?: never
    post: operations['create_session']
    delete: operations['delete_session']
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/hosts': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['list_hosts']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/hosts/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_host']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['list_vms']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_vm']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/pools': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['list_pools']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/pools/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_pool']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/networks': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['list_networks']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/networks/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_network']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/actions': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['list_actions']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/actions/{id}': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_action']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/xml': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get: operations['get_vm_xml']
    put?: never
    post?: never
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/start': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['start_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/shutdown': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['shutdown_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/reboot': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['reboot_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/force_off': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['force_off_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/reset': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['reset_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/pause': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['pause_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/resume': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['resume_vm']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/vms/{id}/console': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['open_vm_console']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/actions/{id}/cancel': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['cancel_action']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
  '/api/v1/actions/{id}/retry': {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    get?: never
    put?: never
    post: operations['retry_action']
    delete?: never
    options?: never
    head?: never
    patch?: never
    trace?: never
  }
}
export type webhooks = Record<string, never>
export interface components {
  schemas: {
    /** @description Version and state of the server. */
    About: {
      /** @description Always `Salar`. */
      product: string
      /** @description `0.1.0`. */
      version: string
      /** @description Differs between any two builds; the web interface compares it with its own. */
      build: string
      /** @description When the server started. */
      started_at: string
    }
    /** @description Answer to a request that became an action. */
    Accepted: {
      /** @description The action; poll it or watch the event stream. */
      action: components['schemas']['Action']
    }
    /** @description An action and what became of it. */
    Action: {
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
      /**
       * Format: int64
       * @description See [`crate::vm::Vm::gen`].
       */
      gen: number
      /**
       * Format: uuid
       * @description The request it is part of.
       */
      jid: string
      /** @description `queued`, `sent`, `accepted`, `running`, `succeeded`, `failed`, `cancelled`, `unknown`. */
      status: string
      /** @description `vm.start`, `vm.force_off`… or the function: `state.apply`. */
      kind: string
      /** @description A sentence: `Start srv01`, `state.apply vm`. */
      summary: string
      /**
       * Format: uuid
       * @description Host that carries it out.
       */
      host_id: string
      /** @description Its name. */
      host: string
      /**
       * Format: uuid
       * @description VM it is about.
       */
      vm_id?: string | null
      /** @description Who asked. */
      user: string
      /** @description When it was accepted. */
      created_at: string
      /** @description When the agent began. */
      started_at?: string | null
      /** @description When it ended. */
      finished_at?: string | null
      /** @description The latest report. */
      progress?: components['schemas']['Progress'] | null
      /** @description What it waits for, in words: `Waits for kvm-07 to come back`, `Waits for “Shut down srv01”`. */
      waits_for?: string | null
      /** @description What a function returned, or what a failed one left; absent until it ends. */
      result?: Record<string, never> | null
      /** @description Why it failed. */
      error?: components['schemas']['ActionError'] | null
      /**
       * Format: uuid
       * @description The action whose unknown outcome it repeats.
       */
      retry_of?: string | null
    }
    /** @description Why an action failed. */
    ActionError: {
      /** @description Cause, one sentence. */
      message: string
      /** @description What to do about it. */
      hint?: string | null
    }
    /** @description Whether a request makes sense now, for this user. */
    AllowedAction: {
      /** @description `start`, `shutdown`, `reboot`, `force_off`, `reset`, `pause`, `resume`. */
      action: string
      /** @description May be asked now. */
      allowed: boolean
      /** @description Why not. */
      reason?: string | null
    }
    /** @description Objects that changed, each with its new row. One message holds at most one entry per object. */
    Change: {
      /** @description Changed and new objects, and those that are gone. */
      objects: components['schemas']['ChangedObject'][]
    }
    /** @description One changed object. Applied only if `gen` is higher than the one held. */
    ChangedObject: components['schemas']['ChangedRow'] & {
      /**
       * Format: int64
       * @description Its generation.
       */
      gen: number
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
    }
    /** @description Which collection an object belongs to, and its new row. */
    ChangedRow:
      | {
          /** @enum {string} */
          collection: 'vms'
          row?: null | components['schemas']['Vm']
        }
      | {
          /** @enum {string} */
          collection: 'hosts'
          row?: null | components['schemas']['Host']
        }
      | {
          /** @enum {string} */
          collection: 'pools'
          row?: null | components['schemas']['Pool']
        }
      | {
          /** @enum {string} */
          collection: 'networks'
          row?: null | components['schemas']['Network']
        }
      | {
          /** @enum {string} */
          collection: 'actions'
          row?: null | components['schemas']['Action']
        }
    /** @description A ticket for one console connection. */
    ConsoleTicket: {
      /** @description Path of the WebSocket (`/api/v1/consoles/{ticket}`); raw RFB bytes in binary messages. Good once, for 30 seconds. */
      path: string
      /** @description `vnc`. */
      kind: string
    }
    /** @description A disk or drive. */
    Disk: {
      /** @description `vda`. */
      target: string
      /** @description `virtio`… */
      bus: string
      /** @description `disk`, `cdrom`, `floppy`, `lun`. */
      device: string
      /** @description Path, `pool/volume` or `protocol:name`; empty for an empty drive. */
      source: string
      /** @description Pool of a volume disk. */
      pool?: string | null
      /** @description `qcow2`… */
      format: string
      /** @description Read-only. */
      read_only: boolean
    }
    /** @description Body of every answer with a status of 400 or above. */
    ErrorBody: {
      /** @description What went wrong. */
      error: components['schemas']['ErrorInfo']
    }
    /** @description What went wrong, in four parts: what failed, why, what to do, where to look further. */
    ErrorInfo: {
      /** @description Stable word for programs: `vm_migrating`, `not_signed_in`, `host_unreachable`… */
      code: string
      /** @description What failed and why, one sentence. */
      message: string
      /** @description What to do about it. */
      hint?: string | null
      /** @description Field of the request the error belongs to. */
      field?: string | null
      /** @description Id of the request in the server's log. */
      request_id: string
    }
    /** @description Counts of one field. */
    Facet: {
      /** @description Query parameter it belongs to: `status`, `host`. */
      field: string
      /** @description Its values, most frequent first. */
      values: components['schemas']['FacetValue'][]
    }
    /** @description How often a value occurs. */
    FacetValue: {
      /** @description The value as the query parameter takes it. */
      value: string
      /** @description The value as people read it. */
      label: string
      /**
       * Format: int64
       * @description How often.
       */
      count: number
    }
    /** @description A graphical console. */
    Graphics: {
      /** @description `vnc`, `spice`… */
      kind: string
      /**
       * Format: int32
       * @description Port on the host while running.
       */
      port?: number | null
      /** @description Listen address. */
      listen: string
    }
    /** @description First event of every connection; its id is the position in the feed at which the connection starts. */
    Hello: {
      /** @description The server's build; when it is another than the page's, the page offers to reload. */
      build: string
      /** @description Missed events follow from `Last-Event-ID`; false when the client must load its lists (again). */
      resumed: boolean
    }
    /** @description A host. */
    Host: {
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
      /**
       * Format: int64
       * @description See [`crate::vm::Vm::gen`].
       */
      gen: number
      /** @description Its name; what targets match. */
      name: string
      /** @description libvirt URI. */
      uri: string
      /** @description `live`, `libvirt_down`, `unreachable`. */
      freshness: string
      /** @description What is wrong, in a sentence with its remedy; absent while live. */
      problem?: string | null
      /** @description `QEMU`, `Xen`, `Test`. */
      hypervisor: string
      /** @description Its version. */
      hypervisor_version: string
      /** @description libvirt's version. */
      libvirt_version: string
      /**
       * Format: int32
       * @description Logical CPUs.
       */
      cpus: number
      /** @description As libvirt names it. */
      cpu_model: string
      /** @description `x86_64`… */
      arch: string
      /**
       * Format: int64
       * @description Memory of the host.
       */
      memory_bytes: number
      /** @description Offers hardware virtualization. */
      accelerated: boolean
      /**
       * Format: int64
       * @description VMs on it.
       */
      vms_total: number
      /**
       * Format: int64
       * @description Of these, running.
       */
      vms_running: number
      /** @description Last word of its agent. */
      last_seen_at: string
    }
    /** @description The host an object is on, as much of it as a row shows. */
    HostRef: {
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
      /** @description Its name. */
      name: string
      /** @description `live`, `libvirt_down`, `unreachable`: how far the row can be trusted. */
      freshness: string
    }
    /** @description A job: one request, one action on each of its hosts. */
    Job: {
      /**
       * Format: uuid
       * @description Its id.
       */
      jid: string
      /** @description The function. */
      fun: string
      /** @description Which hosts were asked for. */
      target: string
      /** @description Its actions, one a host. */
      actions: components['schemas']['Action'][]
    }
    /** @description A window of a list. */
    List_Action: {
      /** @description The rows from `offset` on. */
      items: components['schemas']['Action'][]
      /**
       * Format: int64
       * @description Rows that match the filter, in all.
       */
      total: number
      /**
       * Format: int64
       * @description Index of the first row.
       */
      offset: number
      /** @description `offset` of the next window; absent at the end. */
      next_page?: string | null
      /** @description Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date. */
      revision: string
      /** @description Counts by field over everything that matches the search, whatever the field's own filter. */
      facets?: components['schemas']['Facet'][]
    }
    /** @description A window of a list. */
    List_Host: {
      /** @description The rows from `offset` on. */
      items: components['schemas']['Host'][]
      /**
       * Format: int64
       * @description Rows that match the filter, in all.
       */
      total: number
      /**
       * Format: int64
       * @description Index of the first row.
       */
      offset: number
      /** @description `offset` of the next window; absent at the end. */
      next_page?: string | null
      /** @description Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date. */
      revision: string
      /** @description Counts by field over everything that matches the search, whatever the field's own filter. */
      facets?: components['schemas']['Facet'][]
    }
    /** @description A window of a list. */
    List_Network: {
      /** @description The rows from `offset` on. */
      items: components['schemas']['Network'][]
      /**
       * Format: int64
       * @description Rows that match the filter, in all.
       */
      total: number
      /**
       * Format: int64
       * @description Index of the first row.
       */
      offset: number
      /** @description `offset` of the next window; absent at the end. */
      next_page?: string | null
      /** @description Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date. */
      revision: string
      /** @description Counts by field over everything that matches the search, whatever the field's own filter. */
      facets?: components['schemas']['Facet'][]
    }
    /** @description A window of a list. */
    List_Pool: {
      /** @description The rows from `offset` on. */
      items: components['schemas']['Pool'][]
      /**
       * Format: int64
       * @description Rows that match the filter, in all.
       */
      total: number
      /**
       * Format: int64
       * @description Index of the first row.
       */
      offset: number
      /** @description `offset` of the next window; absent at the end. */
      next_page?: string | null
      /** @description Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date. */
      revision: string
      /** @description Counts by field over everything that matches the search, whatever the field's own filter. */
      facets?: components['schemas']['Facet'][]
    }
    /** @description A window of a list. */
    List_Vm: {
      /** @description The rows from `offset` on. */
      items: components['schemas']['Vm'][]
      /**
       * Format: int64
       * @description Rows that match the filter, in all.
       */
      total: number
      /**
       * Format: int64
       * @description Index of the first row.
       */
      offset: number
      /** @description `offset` of the next window; absent at the end. */
      next_page?: string | null
      /** @description Event id (`<epoch>-<rev>`) up to which the window is true: events after it bring it up to date. */
      revision: string
      /** @description Counts by field over everything that matches the search, whatever the field's own filter. */
      facets?: components['schemas']['Facet'][]
    }
    /** @description A virtual network. */
    Network: {
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
      /**
       * Format: int64
       * @description See [`crate::vm::Vm::gen`].
       */
      gen: number
      /** @description libvirt's name. */
      name: string
      /** @description Host it is on. */
      host: components['schemas']['HostRef']
      /** @description `nat`, `route`, `bridge`, `isolated`… */
      forward: string
      /** @description `active` or `inactive`. */
      status: string
      /** @description Started with its host. */
      autostart: boolean
      /** @description Has a definition that survives its stop. */
      persistent: boolean
      /** @description Bridge device on the host. */
      bridge: string
      /** @description `192.168.44.1/24`. */
      cidrs: string[]
      /** @description Hands out addresses. */
      dhcp: boolean
      /**
       * Format: int64
       * @description NICs of VMs plugged into it.
       */
      nic_count: number
      /** @description When the host was last read for it. */
      observed_at: string
    }
    /** @description A new password. A user may set their own; an administrator anybody's. */
    NewPassword: {
      /** @description The password in force; needed when one sets one's own. */
      current?: string | null
      /** @description At least 10 characters. */
      new: string
    }
    /** @description A new user. */
    NewUser: {
      /** @description User name: 1 to 64 of letters, digits, `.`, `-`, `_`, `@`. */
      name: string
      /** @description At least 10 characters. */
      password: string
      /** @description `viewer`, `operator`, `administrator`. */
      role: string
    }
    /** @description A network interface. */
    Nic: {
      /** @description Lower case. */
      mac: string
      /** @description `network`, `bridge`… */
      kind: string
      /** @description Network or bridge. */
      source: string
      /** @description `virtio`… */
      model: string
      /** @description Device on the host while running. */
      target?: string | null
      /** @description Known addresses. */
      addresses: string[]
    }
    /** @description A storage pool. */
    Pool: {
      /**
       * Format: uuid
       * @description Its id.
       */
      id: string
      /**
       * Format: int64
       * @description See [`crate::vm::Vm::gen`].
       */
      gen: number
      /** @description libvirt's name. */
      name: string
      /** @description Host it is on. */
      host: components['schemas']['HostRef']
      /** @description `dir`, `netfs`, `logical`… */
      kind: string
      /** @description `active` or `inactive`. */
      status: string
      /** @description Started with its host. */
      autostart: boolean
      /** @description Has a definition that survives its stop. */
      persistent: boolean
      /**
       * Format: int64
       * @description Total size; zero while inactive.
       */
      capacity_bytes: number
      /**
       * Format: int64
       * @description Used.
       */
      allocation_bytes: number
      /**
       * Format: int64
       * @description Free.
       */
      available_bytes: number
      /** @description Path on the host. */
      target: string
      /**
       * Format: int32
       * @description Volumes at the last refresh.
       */
      volume_count: number
      /** @description When the host was last read for it. */
      observed_at: string
    }
    /** @description How far an action is. */
    Progress: {
      /** @description The step by name. */
      step: string
      /**
       * Format: int64
       * @description Done, in bytes or items.
       */
      done: number
      /**
       * Format: int64
       * @description Total; absent when not known.
       */
      total?: number | null
      /**
       * Format: int64
       * @description Bytes per second; absent when not measured.
       */
      rate?: number | null
    }
    /** @description A function to call on every host that the target matches. */
    RunRequest: {
      /** @description Which hosts. */
      target: string
      /** @description How to read `target`: `glob` (default), `pcre`, `list`. */
      target_kind?: string
      /** @description `module.function`. */
      fun: string
      /** @description Positional arguments. */
      args?: Record<string, never>[]
      /** @description Named arguments; `test: true` plans only. */
      kwargs?: Record<string, never>
    }
    /** @description Who is signed in. */
    Session: {
      /** @description User name. */
      user: string
      /** @description `viewer`, `operator`, `administrator`. */
      role: string
      /** @description When the session ends by itself. */
      expires_at?: string | null
    }
    /** @description What a person types to sign in. */
    SignIn: {
      /** @description User name. */
      user: string
      /** @description Password. */
      password: string
    }
    /** @description A user. */
    User: {
      /** @description User name. */
      name: string
      /** @description `viewer`, `operator`, `administrator`. */
      role: string
      /** @description When it was made. */
      created_at: string
    }
    /** @description A row of the list of VMs; also what the event stream carries when one changes. */
    Vm: {
      /**
       * Format: uuid
       * @description Its id in paths.
       */
      id: string
      /**
       * Format: int64
       * @description Grows by one with every real change; an event is applied only if its `gen` is higher than the one held.
       */
      gen: number
      /** @description libvirt's name. */
      name: string
      /** @description Host it is on. */
      host: components['schemas']['HostRef']
      /** @description `running`, `paused`, `suspended`, `shutting_down`, `migrating`, `crashed`, `shutoff`, `unknown`. */
      status: string
      /** @description libvirt's reason for the status; may be empty. */
      status_reason: string
      /** @description `kvm`, `qemu`, `xen`, `test`. */
      domain_type: string
      /**
       * Format: int32
       * @description vCPUs online.
       */
      vcpus: number
      /**
       * Format: int32
       * @description vCPUs at most.
       */
      vcpus_max: number
      /**
       * Format: int64
       * @description Memory now.
       */
      memory_bytes: number
      /**
       * Format: int64
       * @description Memory at most.
       */
      memory_max_bytes: number
      /** @description Started with its host. */
      autostart: boolean
      /** @description Has a definition that survives its stop. */
      persistent: boolean
      /** @description Resumes from a saved memory image at the next start. */
      has_managed_save: boolean
      /** @description What runs differs from what will run after the next start. */
      pending_changes: boolean
      /** @description Known addresses of its NICs. */
      addresses: string[]
      /** @description When the host was last read for it. */
      observed_at: string
      /** @description Life-cycle requests in the order of menus, each allowed or refused with the reason. */
      actions: components['schemas']['AllowedAction'][]
    }
    /** @description One VM with all its facts. */
    VmDetail: components['schemas']['Vm'] & {
      /**
       * Format: uuid
       * @description libvirt's UUID (equal to `id` but when two hosts have VMs of one UUID).
       */
      uuid: string
      /**
       * Format: int32
       * @description Running id on its host.
       */
      domain_id?: number | null
      /** @description `hvm`, `xen`… */
      os_type: string
      /** @description `x86_64`… */
      arch: string
      /** @description Owner's title. */
      title: string
      /** @description Owner's description. */
      description: string
      /** @description Disks and drives. */
      disks: components['schemas']['Disk'][]
      /** @description Network interfaces. */
      nics: components['schemas']['Nic'][]
      /** @description Graphical consoles. */
      graphics: components['schemas']['Graphics'][]
    }
    /** @description Body of a life-cycle request; may be left out. */
    VmRequest: {
      /**
       * Format: int64
       * @description The `gen` the request is based on; refused with 409 `changed_meanwhile` when the VM has changed since.
       */
      gen?: number | null
    }
    /** @description Both definitions of a VM. */
    VmXml: {
      /** @description The one of the next start; absent for a transient VM. */
      persistent?: string | null
      /** @description The running one; absent while off. */
      live?: string | null
      /** @description When they were read. */
      observed_at: string
    }
  }
  responses: never
  parameters: never
  requestBodies: never
  headers: never
  pathItems: never
}
export type $defs = Record<string, never>
export interface operations {
  get_about: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['About']
        }
      }
    }
  }
  create_session: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody: {
      content: {
        'application/json': components['schemas']['SignIn']
      }
    }
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Session']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      429: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_session: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Session']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  delete_session: {
    parameters: {
      query?: never
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      204: {
        headers: {
          [name: string]: unknown
        }
        content?: never
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  list_hosts: {
    parameters: {
      query?: {
        search?: string
        status?: string
        host?: string
        sort?: string
        offset?: number
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['List_Host']
        }
      }
      /** @description Refused */
      400: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_host: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Host']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  list_vms: {
    parameters: {
      query?: {
        search?: string
        status?: string
        host?: string
        sort?: string
        offset?: number
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['List_Vm']
        }
      }
      /** @description Refused */
      400: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['VmDetail']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  list_pools: {
    parameters: {
      query?: {
        search?: string
        status?: string
        host?: string
        sort?: string
        offset?: number
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['List_Pool']
        }
      }
      /** @description Refused */
      400: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_pool: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Pool']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  list_networks: {
    parameters: {
      query?: {
        search?: string
        status?: string
        host?: string
        sort?: string
        offset?: number
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['List_Network']
        }
      }
      /** @description Refused */
      400: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_network: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Network']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  list_actions: {
    parameters: {
      query?: {
        search?: string
        status?: string
        host?: string
        sort?: string
        offset?: number
        limit?: number
      }
      header?: never
      path?: never
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['List_Action']
        }
      }
      /** @description Refused */
      400: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_action: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Action']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  get_vm_xml: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['VmXml']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      503: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  start_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  shutdown_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  reboot_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  force_off_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  reset_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  pause_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  resume_vm: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: {
      content: {
        'application/json': components['schemas']['VmRequest']
      }
    }
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  open_vm_console: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      200: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ConsoleTicket']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      503: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  cancel_action: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
  retry_action: {
    parameters: {
      query?: never
      header?: never
      path: {
        id: string
      }
      cookie?: never
    }
    requestBody?: never
    responses: {
      /** @description Done */
      202: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['Accepted']
        }
      }
      /** @description Refused */
      401: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      403: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      404: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
      /** @description Refused */
      409: {
        headers: {
          [name: string]: unknown
        }
        content: {
          'application/json': components['schemas']['ErrorBody']
        }
      }
    }
  }
}
