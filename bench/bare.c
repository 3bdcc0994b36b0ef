/* The libvirt calls that must be made to know that nothing of a set of VMs, networks and pools has to change, and
 * nothing else: what a state run is measured against.
 *
 *   bare URI
 *
 * One connection. What lists can tell is asked once for all objects; what they cannot is asked of each: both
 * definitions and the autostart flag of a VM, the definition and the flag of a network and a pool, and the volume
 * behind every VM's disk. Nothing of the answers is looked at. Prints the number of calls.
 */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned long calls = 0;

static void silent(void *data, virErrorPtr error)
{
    (void)data;
    (void)error;
}

static void *must(void *value, const char *what)
{
    calls++;
    if (!value) {
        fprintf(stderr, "bare: %s: %s\n", what, virGetLastErrorMessage());
        exit(1);
    }
    return value;
}

static int count(int value, const char *what)
{
    calls++;
    if (value < 0) {
        fprintf(stderr, "bare: %s: %s\n", what, virGetLastErrorMessage());
        exit(1);
    }
    return value;
}

static void networks(virConnectPtr connect)
{
    virNetworkPtr *all = NULL;
    int number = count(virConnectListAllNetworks(connect, &all, 0), "list networks");
    for (int i = 0; i < number; i++) {
        int on;
        count(virNetworkIsActive(all[i]), "active");
        count(virNetworkGetAutostart(all[i], &on), "autostart");
        free(must(virNetworkGetXMLDesc(all[i], 0), "definition"));
        virNetworkFree(all[i]);
    }
    free(all);
}

static void pools(virConnectPtr connect)
{
    virStoragePoolPtr *all = NULL;
    int number = count(virConnectListAllStoragePools(connect, &all, 0), "list pools");
    for (int i = 0; i < number; i++) {
        int on;
        count(virStoragePoolIsActive(all[i]), "active");
        count(virStoragePoolGetAutostart(all[i], &on), "autostart");
        free(must(virStoragePoolGetXMLDesc(all[i], 0), "definition"));
        virStorageVolPtr *volumes = NULL;
        int holds = count(virStoragePoolListAllVolumes(all[i], &volumes, 0), "list volumes");
        for (int v = 0; v < holds; v++) {
            free(must(virStorageVolGetXMLDesc(volumes[v], 0), "volume"));
            virStorageVolFree(volumes[v]);
        }
        free(volumes);
        virStoragePoolFree(all[i]);
    }
    free(all);
}

static void domains(virConnectPtr connect)
{
    virDomainPtr *all = NULL;
    int number = count(virConnectListAllDomains(connect, &all, 0), "list VMs");
    for (int i = 0; i < number; i++) {
        int state, reason, on;
        count(virDomainGetState(all[i], &state, &reason, 0), "state");
        count(virDomainGetAutostart(all[i], &on), "autostart");
        free(must(virDomainGetXMLDesc(all[i], VIR_DOMAIN_XML_INACTIVE), "next definition"));
        if (state == VIR_DOMAIN_RUNNING)
            free(must(virDomainGetXMLDesc(all[i], 0), "running definition"));
        virDomainFree(all[i]);
    }
    free(all);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bare URI\n");
        return 2;
    }
    virSetErrorFunc(NULL, silent);
    virConnectPtr connect = must(virConnectOpen(argv[1]), "open");
    networks(connect);
    pools(connect);
    domains(connect);
    virConnectClose(connect);
    printf("%lu\n", calls);
    return 0;
}
