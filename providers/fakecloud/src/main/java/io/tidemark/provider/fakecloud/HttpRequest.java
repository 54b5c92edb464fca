package io.tidemark.provider.fakecloud;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One request as it came: names of headers in lower case, the body whole. */
public final class HttpRequest {
    public final String method;
    public final String path;
    public final String query;
    public final Map<String, String> headers;
    public final byte[] body;

    public HttpRequest(String method, String target, Map<String, String> headers, byte[] body) {
        int mark = target.indexOf('?');
        this.method = method;
        this.path = mark < 0 ? target : target.substring(0, mark);
        this.query = mark < 0 ? "" : target.substring(mark + 1);
        this.headers = headers;
        this.body = body;
    }

    public @Nullable String header(String lowerCaseName) {
        return headers.get(lowerCaseName);
    }

    public Map<String, String> queryFields() {
        return fields(query);
    }

    public Map<String, String> formFields() {
        return fields(new String(body, StandardCharsets.UTF_8));
    }

    /** Fields of a query or a form; of a name that stands twice the last value counts. */
    public static Map<String, String> fields(String encoded) {
        var fields = new LinkedHashMap<String, String>();
        int start = 0;
        while (start < encoded.length()) {
            int end = encoded.indexOf('&', start);
            end = end < 0 ? encoded.length() : end;
            String field = encoded.substring(start, end);
            int equals = field.indexOf('=');
            if (!field.isEmpty()) {
                fields.put(
                        decoded(equals < 0 ? field : field.substring(0, equals)),
                        equals < 0 ? "" : decoded(field.substring(equals + 1)));
            }
            start = end + 1;
        }
        return fields;
    }

    public static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
