package io.tidemark.provider.fakecloud.aws;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Calls as they stand on the wire, written by hand: a client that shares no code with the fake. */
final class AwsWire implements AutoCloseable {
    private final URI endpoint;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /** What came back. */
    static final class Answer {
        private final int status;
        private final byte[] bytes;
        private final Map<String, List<String>> headers;

        Answer(int status, byte[] bytes, Map<String, List<String>> headers) {
            this.status = status;
            this.bytes = bytes;
            this.headers = headers;
        }

        int status() {
            return status;
        }

        byte[] bytes() {
            return bytes;
        }

        String text() {
            return new String(bytes, StandardCharsets.UTF_8);
        }

        /** Text of all elements of a name. */
        List<String> all(String element) {
            var found = new ArrayList<String>();
            var matcher =
                    Pattern.compile("<%1$s>([^<]*)</%1$s>".formatted(element)).matcher(text());
            while (matcher.find()) {
                found.add(matcher.group(1));
            }
            return found;
        }

        String one(String element) {
            return all(element).isEmpty() ? "" : all(element).getFirst();
        }

        String header(String name) {
            return headers.getOrDefault(name, List.of("")).getFirst();
        }

        JsonNode json() throws IOException {
            return EbsDirect.JSON.readTree(bytes);
        }
    }

    AwsWire(URI endpoint) {
        this.endpoint = endpoint;
    }

    /** An EC2 action; parameters are name, value, name, value. */
    Answer ec2(String action, String... parameters) throws IOException, InterruptedException {
        var form = new TreeMap<>(Map.of("Action", action, "Version", "2016-11-15"));
        for (int index = 0; index < parameters.length; index += 2) {
            form.put(parameters[index], parameters[index + 1]);
        }
        String body = form.entrySet().stream()
                .map(field -> encoded(field.getKey()) + "=" + encoded(field.getValue()))
                .collect(Collectors.joining("&"));
        return send(HttpRequest.newBuilder(endpoint.resolve("/"))
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(body)));
    }

    Answer start(String json) throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(endpoint.resolve("/snapshots")).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    Answer get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(endpoint.resolve(path)).GET());
    }

    Answer put(String snapshotId, int index, byte[] block) throws IOException, InterruptedException {
        return put(snapshotId, index, block, Base64.getEncoder().encodeToString(sha256(block)), block.length);
    }

    Answer put(String snapshotId, int index, byte[] block, String checksum, int length)
            throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(endpoint.resolve("/snapshots/%s/blocks/%d".formatted(snapshotId, index)))
                .header("x-amz-Data-Length", String.valueOf(length))
                .header("x-amz-Checksum", checksum)
                .header("x-amz-Checksum-Algorithm", "SHA256")
                .PUT(HttpRequest.BodyPublishers.ofByteArray(block)));
    }

    Answer complete(String snapshotId, int changed, String... headers) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(endpoint.resolve("/snapshots/completion/" + snapshotId))
                .header("x-amz-ChangedBlocksCount", String.valueOf(changed))
                .POST(HttpRequest.BodyPublishers.noBody());
        for (int index = 0; index < headers.length; index += 2) {
            request.header(headers[index], headers[index + 1]);
        }
        return send(request);
    }

    private Answer send(HttpRequest.Builder request) throws IOException, InterruptedException {
        var response = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        return new Answer(
                response.statusCode(), response.body(), response.headers().map());
    }

    static byte[] sha256(byte[] bytes) {
        return EbsUpload.sha256().digest(bytes);
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }

    @Override
    public void close() {
        http.close();
    }
}
