package io.tidemark.provider.gce;

import java.util.List;
import java.util.stream.Stream;

/**
 * The least rights, as a custom role of IAM and how it is granted: looking, making and labelling. Google's IAM has no
 * condition on a resource's labels ("Resource attributes for IAM Conditions"), but one on its name, and all that we
 * make and delete by ourselves begins with {@code tm-}: deletion is bound to that.
 */
final class GcePolicy {
    /** What a disk is asked for. */
    static final List<String> OF_DISKS = List.of(
            "compute.disks.create",
            "compute.disks.createSnapshot",
            "compute.disks.get",
            "compute.disks.list",
            "compute.disks.setLabels");

    static final List<String> OF_SNAPSHOTS = List.of(
            "compute.snapshots.create",
            "compute.snapshots.get",
            "compute.snapshots.list",
            "compute.snapshots.setLabels",
            "compute.snapshots.useReadOnly");

    static final List<String> OF_OPERATIONS =
            List.of("compute.globalOperations.get", "compute.regionOperations.get", "compute.zoneOperations.get");

    /**
     * Of cuts of a consistency group. Its members are named by Google, so that no name bounds what of them is
     * deleted.
     */
    static final List<String> OF_GROUPS = List.of(
            "compute.instantSnapshotGroups.create",
            "compute.instantSnapshotGroups.delete",
            "compute.instantSnapshotGroups.get",
            "compute.instantSnapshotGroups.list",
            "compute.instantSnapshots.delete",
            "compute.instantSnapshots.list",
            "compute.resourcePolicies.get");

    /** Of reading by a helper: on the helper's instance, and on the temporary disks that are attached to it. */
    static final List<String> OF_HELPER =
            List.of("compute.disks.useReadOnly", "compute.instances.attachDisk", "compute.instances.detachDisk");

    /** Of asynchronous replication, started and stopped ("Manage Asynchronous Replication", required permissions). */
    static final List<String> OF_REPLICATION = List.of(
            "compute.disks.startAsyncReplication",
            "compute.disks.stopAsyncReplication",
            "compute.disks.stopGroupAsyncReplication");

    static final List<String> DELETION = List.of("compute.disks.delete", "compute.snapshots.delete");

    /** Of looking, making and labelling. */
    static final List<String> ALWAYS = Stream.of(OF_DISKS, OF_SNAPSHOTS, OF_GROUPS, OF_OPERATIONS)
            .flatMap(List::stream)
            .toList();

    private GcePolicy() {}

    static String of(String project) {
        return """
                # gcloud iam roles create tidemark --project=%1$s --file=FILE, for each of the four; then
                # gcloud projects add-iam-policy-binding %1$s --member=serviceAccount:ACCOUNT \\
                #   --role=projects/%1$s/roles/tidemark
                # gcloud projects add-iam-policy-binding %1$s --member=serviceAccount:ACCOUNT \\
                #   --role=projects/%1$s/roles/tidemarkDeletes --condition='title=tidemark,expression=
                #   resource.name.extract("/snapshots/{name}").startsWith("tm-") ||
                #   resource.name.extract("/disks/{name}").startsWith("tm-")'
                # The third is for the setting helper alone; on the helper's instance, and on disks by their names:
                # gcloud projects add-iam-policy-binding %1$s --member=serviceAccount:ACCOUNT \\
                #   --role=projects/%1$s/roles/tidemarkReads --condition='title=tidemark,expression=
                #   resource.name.endsWith("/instances/HELPER") ||
                #   resource.name.extract("/disks/{name}").startsWith("tm-")'
                # The fourth is for asynchronous replication alone. To replicate the boot disk of an instance that has a
                # service account takes iam.serviceAccounts.actAs on that account beside.
                title: tidemark
                stage: GA
                includedPermissions:
                %2$s---
                title: tidemarkDeletes
                stage: GA
                includedPermissions:
                %3$s---
                title: tidemarkReads
                stage: GA
                includedPermissions:
                %4$s---
                title: tidemarkReplicates
                stage: GA
                includedPermissions:
                %5$s""".formatted(project, listed(ALWAYS), listed(DELETION), listed(OF_HELPER), listed(OF_REPLICATION));
    }

    private static String listed(List<String> permissions) {
        var text = new StringBuilder();
        permissions.forEach(each -> text.append("- ").append(each).append('\n'));
        return text.toString();
    }
}
