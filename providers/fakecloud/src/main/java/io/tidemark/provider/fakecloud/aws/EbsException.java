package io.tidemark.provider.fakecloud.aws;

import org.jspecify.annotations.Nullable;

/** An error answer of EBS direct: the shape of the model, its HTTP status, and the reason within it. */
final class EbsException extends Exception {
    final String shape;
    final int status;
    final @Nullable String reason;

    EbsException(int status, String shape, @Nullable String reason, String message) {
        super(message);
        this.status = status;
        this.shape = shape;
        this.reason = reason;
    }

    static EbsException invalid(String reason, String message) {
        return new EbsException(400, "ValidationException", reason, message);
    }

    static EbsException notFound(String snapshotId) {
        return new EbsException(
                404,
                "ResourceNotFoundException",
                "SNAPSHOT_NOT_FOUND",
                "The snapshot '%s' does not exist.".formatted(snapshotId));
    }

    String text() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}
