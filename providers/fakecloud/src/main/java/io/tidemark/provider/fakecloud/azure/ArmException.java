package io.tidemark.provider.fakecloud.azure;

import java.io.Serial;

/** What Resource Manager refuses. */
final class ArmException extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    final int status;
    final String code;

    ArmException(int status, String code, String message) {
        super(message);
        this.status = status;
        this.code = code;
    }

    String text() {
        return String.valueOf(getMessage());
    }

    static ArmException notFound(String id) {
        return new ArmException(404, "ResourceNotFound", "The Resource '%s' was not found.".formatted(id));
    }

    static ArmException invalid(String message) {
        return new ArmException(400, "InvalidParameter", message);
    }
}
