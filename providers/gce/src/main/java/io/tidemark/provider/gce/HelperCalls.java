package io.tidemark.provider.gce;

import com.google.cloud.compute.v1.AttachDiskInstanceRequest;
import com.google.cloud.compute.v1.AttachedDisk;
import com.google.cloud.compute.v1.DetachDiskInstanceRequest;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.util.Optional;
import java.util.UUID;

/** What is asked of the helper's instance; asked once. */
final class HelperCalls {
    private final GceConnection connection;

    HelperCalls(GceConnection connection) {
        this.connection = connection;
    }

    /** Begins to attach a disk of the helper's zone, to be read only; its device is called as the disk is. */
    CloudOperation attach(HelperInstance helper, CloudDisk disk) throws ProviderException {
        String asked = "instances.attachDisk of %s to %s".formatted(disk.name(), helper.name());
        var request = AttachDiskInstanceRequest.newBuilder()
                .setProject(helper.project())
                .setZone(helper.zone().name())
                .setInstance(helper.name())
                .setRequestId(UUID.randomUUID().toString())
                .setAttachedDiskResource(AttachedDisk.newBuilder()
                        .setSource(disk.link())
                        .setDeviceName(disk.name())
                        .setMode("READ_ONLY")
                        .setAutoDelete(false))
                .build();
        return GceCalls.ask(
                asked,
                clients(asked).instances().attachDiskCallable(),
                request,
                GceAnswers::operation,
                refusal -> Optional.empty());
    }

    /** Begins to detach what is attached under that name. */
    CloudOperation detach(HelperInstance helper, String device) throws ProviderException {
        String asked = "instances.detachDisk of %s from %s".formatted(device, helper.name());
        var request = DetachDiskInstanceRequest.newBuilder()
                .setProject(helper.project())
                .setZone(helper.zone().name())
                .setInstance(helper.name())
                .setDeviceName(device)
                .setRequestId(UUID.randomUUID().toString())
                .build();
        return GceCalls.ask(
                asked,
                clients(asked).instances().detachDiskCallable(),
                request,
                GceAnswers::operation,
                refusal -> Optional.empty());
    }

    private GceClients clients(String asked) throws ProviderException {
        try {
            var clients = connection.clients();
            clients.requireCredentials();
            return clients;
        } catch (IOException e) {
            throw GceFailures.withoutCredentials(asked, e);
        }
    }
}
