package io.tidemark.provider.gce;

import com.google.api.client.http.ByteArrayContent;
import com.google.api.client.http.GenericUrl;
import com.google.api.client.http.HttpRequestFactory;
import com.google.api.client.http.HttpResponseException;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import io.tidemark.provider.gce.GceCalls.Page;
import io.tidemark.provider.gce.GceFailures.Refusal;
import io.tidemark.spi.ProviderError;
import io.tidemark.spi.ProviderException;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Groups of instant snapshots, and their members. Version 1 of the API has them (discovery document of 2026-09-22) and
 * the SDK, 1.98.0, has not: so these are asked by the SDK's HTTP alone. Asked once.
 */
final class GroupCalls {
    private static final Duration CALL = Duration.ofSeconds(30);
    private static final long GB = 1L << 30;

    private final GceConnection connection;
    private final String project;

    GroupCalls(GceConnection connection, String project) {
        this.connection = connection;
        this.project = project;
    }

    /**
     * @param status {@code CREATING}, {@code READY}, {@code FAILED}, {@code INVALID}, {@code DELETING}, {@code
     * UNKNOWN}
     * @param createdAt EPOCH: not told
     */
    record Group(GceLocation location, String name, String status, String description, Instant createdAt) {}

    /**
     * An instant snapshot.
     *
     * @param disk the disk's name, in the same place
     * @param group the name of the group that made it; empty: none
     */
    record Member(
            GceLocation location,
            String name,
            String status,
            String disk,
            String group,
            long sizeBytes,
            Instant createdAt) {}

    /** Empty: there is one of that name already. */
    Optional<CloudOperation> insert(GceLocation place, String name, String policy, String description, UUID requestId)
            throws ProviderException {
        var body = new JsonObject();
        body.addProperty("name", name);
        body.addProperty("description", description);
        body.addProperty("sourceConsistencyGroup", policy);
        String path = path(place, "instantSnapshotGroups") + "?requestId=" + requestId;
        return ask("POST", path, body.toString(), Refusal::isThere).map(GroupCalls::operation);
    }

    Optional<Group> group(GceLocation place, String name) throws ProviderException {
        return ask("GET", path(place, "instantSnapshotGroups") + "/" + name, "", Refusal::isNotFound)
                .map(each -> group(place, each));
    }

    /** Empty: the token was refused. */
    Optional<Page<Group>> groups(GceLocation place, Optional<String> token) throws ProviderException {
        return page(path(place, "instantSnapshotGroups"), token, each -> group(place, each));
    }

    /** Empty: the token was refused. */
    Optional<Page<Member>> members(GceLocation place, Optional<String> token) throws ProviderException {
        return page(path(place, "instantSnapshots"), token, each -> member(place, each));
    }

    /** Empty: there is none of that name. */
    Optional<CloudOperation> deleteGroup(GceLocation place, String name) throws ProviderException {
        return delete(path(place, "instantSnapshotGroups") + "/" + name);
    }

    /** Empty: there is none of that name. */
    Optional<CloudOperation> deleteMember(Member member) throws ProviderException {
        return delete(path(member.location(), "instantSnapshots") + "/" + member.name());
    }

    private Optional<CloudOperation> delete(String path) throws ProviderException {
        String target = path + "?requestId=" + UUID.randomUUID();
        return ask("DELETE", target, "", Refusal::isNotFound).map(GroupCalls::operation);
    }

    String linkOf(Member member) {
        return path(member.location(), "instantSnapshots").substring("/compute/v1/".length()) + "/" + member.name();
    }

    private String path(GceLocation place, String collection) {
        return "/compute/v1/projects/%s/%s/%s".formatted(project, place.scope(), collection);
    }

    private <T> Optional<Page<T>> page(String path, Optional<String> token, Function<JsonObject, T> mapped)
            throws ProviderException {
        String target = path + "?maxResults=" + GceCalls.PAGE
                + token.map(each -> "&pageToken=" + URLEncoder.encode(each, StandardCharsets.UTF_8))
                        .orElse("");
        return ask("GET", target, "", Refusal::isExpiredPage).map(told -> {
            var items = new ArrayList<T>();
            if (told.has("items")) {
                JsonArray listed = told.getAsJsonArray("items");
                listed.forEach(each -> items.add(mapped.apply(each.getAsJsonObject())));
            }
            List<T> found = List.copyOf(items);
            return new Page<>(found, Optional.of(text(told, "nextPageToken")).filter(each -> !each.isEmpty()));
        });
    }

    private interface Meant {
        boolean nothing(Refusal refusal);
    }

    /** Empty: a refusal that means nothing worse than that. */
    private Optional<JsonObject> ask(String method, String target, String body, Meant meant) throws ProviderException {
        String asked = method + " " + target.replaceAll("\\?.*", "");
        GceClients clients;
        try {
            clients = connection.clients();
            clients.requireCredentials();
        } catch (IOException e) {
            throw GceFailures.withoutCredentials(asked, e);
        }
        try {
            return Optional.of(answer(clients, method, target, body));
        } catch (HttpResponseException e) {
            return refused(asked, GceFailures.of(e), meant);
        } catch (IOException e) {
            return refused(asked, GceFailures.of(e), meant);
        } catch (JsonParseException | IllegalStateException e) {
            throw new ProviderException(new ProviderError.Unexpected(asked, String.valueOf(e.getMessage())), e);
        }
    }

    private static Optional<JsonObject> refused(String asked, Refusal refusal, Meant meant) throws ProviderException {
        if (meant.nothing(refusal)) {
            return Optional.empty();
        }
        throw GceFailures.exception(asked, refusal);
    }

    private static JsonObject answer(GceClients clients, String method, String target, String body) throws IOException {
        HttpRequestFactory factory = clients.credentials().isPresent()
                ? clients.transport()
                        .createRequestFactory(
                                new HttpCredentialsAdapter(clients.credentials().get()))
                : clients.transport().createRequestFactory();
        var content =
                body.isEmpty() ? null : new ByteArrayContent("application/json", body.getBytes(StandardCharsets.UTF_8));
        var request = factory.buildRequest(method, new GenericUrl(clients.endpoint() + target), content);
        request.setConnectTimeout((int) CALL.toMillis());
        request.setReadTimeout((int) CALL.toMillis());
        request.setNumberOfRetries(0);
        var answer = request.execute();
        try {
            return JsonParser.parseString(answer.parseAsString()).getAsJsonObject();
        } finally {
            answer.disconnect();
        }
    }

    private static Group group(GceLocation place, JsonObject told) {
        return new Group(
                place,
                text(told, "name"),
                text(told, "status"),
                text(told, "description"),
                GceAnswers.time(text(told, "creationTimestamp")));
    }

    private static Member member(GceLocation place, JsonObject told) {
        String size = text(told, "diskSizeGb");
        return new Member(
                place,
                text(told, "name"),
                text(told, "status"),
                GceAnswers.lastOf(text(told, "sourceDisk")),
                GceAnswers.lastOf(text(told, "sourceInstantSnapshotGroup")),
                size.matches("[0-9]{1,9}") ? Long.parseLong(size) * GB : 0,
                GceAnswers.time(text(told, "creationTimestamp")));
    }

    private static CloudOperation operation(JsonObject told) {
        boolean failed = told.has("error")
                && !told.getAsJsonObject("error").getAsJsonArray("errors").isEmpty();
        JsonObject error = failed
                ? told.getAsJsonObject("error").getAsJsonArray("errors").get(0).getAsJsonObject()
                : new JsonObject();
        return new CloudOperation(
                text(told, "name"),
                text(told, "status").equals("DONE"),
                text(error, "code"),
                text(error, "message"),
                GceAnswers.time(text(told, "endTime")));
    }

    private static String text(JsonObject told, String field) {
        return told.has(field) ? told.get(field).getAsString() : "";
    }
}
