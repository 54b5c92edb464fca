package io.tidemark.provider.gce;

import com.google.api.client.http.HttpTransport;
import com.google.api.client.http.LowLevelHttpRequest;
import com.google.api.client.http.LowLevelHttpResponse;
import com.google.api.client.testing.http.MockLowLevelHttpResponse;
import io.tidemark.provider.fakecloud.HttpAnswer;
import io.tidemark.provider.fakecloud.HttpRequest;
import io.tidemark.provider.fakecloud.gce.FakeGce;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.SocketException;
import java.net.URI;
import java.net.UnknownHostException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The SDK's requests go into the fake in this process, whichever stands there now: no sockets, and clients that
 * outlive it.
 */
final class InProcessTransport extends HttpTransport {
    private volatile FakeGce cloud;
    private volatile boolean outside;

    InProcessTransport(FakeGce cloud) {
        this.cloud = cloud;
    }

    void to(FakeGce other) {
        cloud = other;
    }

    /** From now on there is no metadata server, as on a host that is none of Google's. */
    void outside() {
        outside = true;
    }

    @Override
    public boolean supportsMethod(String method) {
        return true;
    }

    @Override
    protected LowLevelHttpRequest buildRequest(String method, String url) {
        var headers = new TreeMap<String, String>();
        return new LowLevelHttpRequest() {
            @Override
            public void addHeader(String name, String value) {
                headers.put(name.toLowerCase(Locale.ROOT), value);
            }

            @Override
            public LowLevelHttpResponse execute() throws IOException {
                var body = new ByteArrayOutputStream();
                if (getStreamingContent() != null) {
                    getStreamingContent().writeTo(body);
                }
                return answer(method, url, headers, body.toByteArray());
            }
        };
    }

    /** What the metadata server of the instance "helper" says. */
    private static LowLevelHttpResponse self(String path, Map<String, String> headers) {
        var told = Map.of(
                "/computeMetadata/v1/instance/zone", "projects/123456789/zones/europe-west3-a",
                "/computeMetadata/v1/instance/name", "helper",
                "/computeMetadata/v1/project/project-id", "tidemark-tests");
        boolean known = told.containsKey(path) && "Google".equals(headers.get("metadata-flavor"));
        return new MockLowLevelHttpResponse()
                .setStatusCode(known ? 200 : 403)
                .setContentType("text/plain")
                .setContent(told.getOrDefault(path, "") + "\n");
    }

    private LowLevelHttpResponse answer(String method, String url, Map<String, String> headers, byte[] body)
            throws IOException {
        var address = URI.create(url);
        String target = address.getRawQuery() == null
                ? address.getRawPath()
                : address.getRawPath() + "?" + address.getRawQuery();
        if (address.getHost().equals("metadata.google.internal")) {
            if (outside) {
                throw new UnknownHostException(address.getHost());
            }
            return self(address.getPath(), headers);
        }
        HttpAnswer answer = cloud.handler().apply(new HttpRequest(method, target, headers, body));
        if (answer.cut()) {
            throw new SocketException("connection reset");
        }
        return new MockLowLevelHttpResponse()
                .setStatusCode(answer.status)
                .setContentType(answer.contentType)
                .setContent(answer.body);
    }
}
