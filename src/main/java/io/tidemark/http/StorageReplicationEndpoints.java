package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.spi.VolumeId;

/** Replication that a volume's storage does by itself. */
final class StorageReplicationEndpoints {
    private final SiteControl control;

    StorageReplicationEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("getStorageReplication", this::get);
        endpoints.addOnce("startStorageReplication", this::start);
        endpoints.addOnce("stopStorageReplication", this::stop);
    }

    private Answer get(ApiRequest request) throws Exception {
        return Answer.ok(Documents.storageReplication(
                control.volumes().replicateInStorage().of(volume(request))));
    }

    private Answer start(ApiRequest request, Intent intent) throws Exception {
        var secondary = Endpoints.value("secondary", request.text("secondary"), VolumeId::new);
        return Endpoints.accepted(control.volumes().replicateInStorage().start(volume(request), secondary, intent));
    }

    private Answer stop(ApiRequest request, Intent intent) throws Exception {
        return Endpoints.accepted(control.volumes()
                .replicateInStorage()
                .stop(
                        volume(request),
                        request.body().path("wholeGroup").booleanValue(),
                        request.body().path("newSecondaryAccepted").booleanValue(),
                        intent));
    }

    private static VolumeId volume(ApiRequest request) throws ControlException {
        return Endpoints.value("volumeId", request.inPath("volumeId"), VolumeId::new);
    }
}
