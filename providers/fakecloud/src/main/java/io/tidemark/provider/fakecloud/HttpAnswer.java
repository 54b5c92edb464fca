package io.tidemark.provider.fakecloud;

import java.nio.charset.StandardCharsets;
import java.util.Map;

/** One answer, or the end of the connection in place of one. */
final class HttpAnswer {
    /** The connection is reset and nothing is said. */
    static final HttpAnswer CUT = new HttpAnswer(0, "", Map.of(), new byte[0]);

    final int status;
    final String contentType;
    final Map<String, String> headers;
    final byte[] body;

    HttpAnswer(int status, String contentType, Map<String, String> headers, byte[] body) {
        this.status = status;
        this.contentType = contentType;
        this.headers = headers;
        this.body = body;
    }

    static HttpAnswer text(int status, String contentType, Map<String, String> headers, String body) {
        return new HttpAnswer(status, contentType, headers, body.getBytes(StandardCharsets.UTF_8));
    }

    boolean cut() {
        return status == 0;
    }
}
