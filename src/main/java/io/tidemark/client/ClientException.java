package io.tidemark.client;

/** A call to a site that did not end well; the error says how. */
public final class ClientException extends Exception {
    private static final long serialVersionUID = 1;

    private final transient ClientError error;

    public ClientException(ClientError error) {
        super(error.message());
        this.error = error;
    }

    public ClientException(ClientError error, Throwable cause) {
        super(error.message(), cause);
        this.error = error;
    }

    public ClientError error() {
        return error;
    }
}
