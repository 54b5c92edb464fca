package io.tidemark.export;

import io.tidemark.domain.ExportId;

/** What clients of an export write to, without a client. */
public final class OpenImages {
    private OpenImages() {}

    public static ExportImage of(Exports exports, ExportId id) {
        return exports.served(id.value())
                .orElseThrow(() -> new AssertionError("no export " + id))
                .image();
    }
}
