package io.tidemark.provider.fakecloud;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** One answer, or the end of the connection in place of one. */
public final class HttpAnswer {
    /** The connection is reset and nothing is said. */
    public static final HttpAnswer CUT = new HttpAnswer(0, "", Map.of(), new byte[0]);

    public final int status;
    public final String contentType;
    public final Map<String, String> headers;
    public final byte[] body;

    public HttpAnswer(int status, String contentType, Map<String, String> headers, byte[] body) {
        this.status = status;
        this.contentType = contentType;
        this.headers = headers;
        this.body = body;
    }

    public static HttpAnswer text(int status, String contentType, Map<String, String> headers, String body) {
        return new HttpAnswer(status, contentType, headers, body.getBytes(StandardCharsets.UTF_8));
    }

    public boolean cut() {
        return status == 0;
    }
}
