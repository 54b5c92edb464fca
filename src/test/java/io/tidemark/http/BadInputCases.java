package io.tidemark.http;

import io.tidemark.control.Cursor;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** Bad input of every kind, and what the answer to it must say. */
final class BadInputCases {
    private static final String GROUPS = "/v1/groups";
    private static final String LINKS = "/v1/links";
    private static final String VOLUMES = "/v1/volumes";
    private static final String COPIES = "/v1/snapshots/memory%3Aorders%40rp-1/copies";
    private static final Map<String, String> AS_IT_IS = Map.of();

    private BadInputCases() {}

    /**
     * @param field that the answer must name; empty where no single field is wrong
     * @param says part of the answer's text
     */
    record Case(
            String name,
            String method,
            String path,
            Optional<byte[]> body,
            Map<String, String> headers,
            int status,
            String field,
            String says) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Case post(String name, String path, String body, int status, String field, String says) {
        return new Case(name, "POST", path, bytes(body), AS_IT_IS, status, field, says);
    }

    private static Case get(String name, String path, int status, String field, String says) {
        return new Case(name, "GET", path, Optional.empty(), AS_IT_IS, status, field, says);
    }

    private static Case with(
            String name,
            String method,
            String path,
            String body,
            Map<String, String> headers,
            int status,
            String says) {
        return new Case(name, method, path, body.isEmpty() ? Optional.empty() : bytes(body), headers, status, "", says);
    }

    private static Optional<byte[]> bytes(String body) {
        return Optional.of(body.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
    }

    static Stream<Case> cases() {
        return Stream.of(bodies(), values(), pathsAndQueries(), heads(), relations())
                .flatMap(List::stream);
    }

    private static List<Case> bodies() {
        return List.of(
                post("no JSON", VOLUMES, "hello", 400, "body", "JSON"),
                post("half a JSON", VOLUMES, "{'id':", 400, "body", "JSON"),
                post("a list", VOLUMES, "[]", 400, "body", "no JSON object"),
                post("two documents", VOLUMES, "{} {}", 400, "body", "JSON"),
                post(
                        "a name twice",
                        VOLUMES,
                        "{'id':'memory:a','id':'memory:b','sizeBytes':512}",
                        400,
                        "body",
                        "Duplicate"),
                post("too deep", VOLUMES, "{'id':" + "[".repeat(5_000) + "]".repeat(5_000) + "}", 400, "body", "depth"),
                post(
                        "too long a number",
                        VOLUMES,
                        "{'id':'memory:a','sizeBytes':" + "9".repeat(500) + "}",
                        400,
                        "body",
                        "500"),
                new Case(
                        "not UTF-8",
                        "POST",
                        VOLUMES,
                        Optional.of(new byte[] {'{', (byte) 0xff, '}'}),
                        AS_IT_IS,
                        400,
                        "body",
                        "UTF-8"),
                new Case("no body", "POST", VOLUMES, Optional.empty(), AS_IT_IS, 400, "body", "missing"),
                new Case("an empty body", "POST", VOLUMES, Optional.of(new byte[0]), AS_IT_IS, 400, "body", "missing"),
                post("too large a body", VOLUMES, "{'id':'" + "x".repeat(70_000) + "'}", 413, "body", "65536"),
                with("a body where none belongs", "DELETE", "/v1/groups/orders", "{}", AS_IT_IS, 400, "no body"),
                with(
                        "a form",
                        "POST",
                        VOLUMES,
                        "a=b",
                        Map.of("Content-Type", "application/x-www-form-urlencoded"),
                        415,
                        "application/json"),
                with("no content type", "POST", VOLUMES, "{}", Map.of("Content-Type", ""), 415, "application/json"),
                with("a compressed body", "POST", VOLUMES, "{}", Map.of("Content-Encoding", "gzip"), 415, "gzip"));
    }

    private static List<Case> values() {
        return List.of(
                post("missing size", VOLUMES, "{'id':'memory:a'}", 400, "sizeBytes", "missing"),
                post("id of a wrong type", VOLUMES, "{'id':7,'sizeBytes':512}", 400, "id", "string"),
                post("id without provider", VOLUMES, "{'id':'orders','sizeBytes':512}", 400, "id", "[a-z]{1,16}:"),
                post("id that climbs", VOLUMES, "{'id':'memory:a/../b','sizeBytes':512}", 400, "id", "memory:a/../b"),
                post("size as text", VOLUMES, "{'id':'memory:a','sizeBytes':'512'}", 400, "sizeBytes", "integer"),
                post("size of nothing", VOLUMES, "{'id':'memory:a','sizeBytes':0}", 400, "sizeBytes", "at least 512"),
                post("a negative size", VOLUMES, "{'id':'memory:a','sizeBytes':-512}", 400, "sizeBytes", "-512"),
                post(
                        "size of no sectors",
                        VOLUMES,
                        "{'id':'memory:a','sizeBytes':513}",
                        400,
                        "sizeBytes",
                        "multiple of 512"),
                post(
                        "size past all limits",
                        VOLUMES,
                        "{'id':'memory:a','sizeBytes':9223372036854775808}",
                        400,
                        "sizeBytes",
                        "at most"),
                post("half a byte", VOLUMES, "{'id':'memory:a','sizeBytes':512.5}", 400, "sizeBytes", "integer"),
                post("null for a size", VOLUMES, "{'id':'memory:a','sizeBytes':null}", 400, "sizeBytes", "integer"),
                post(
                        "an unknown field",
                        VOLUMES,
                        "{'id':'memory:a','sizeBytes':512,'colour':'red'}",
                        400,
                        "colour",
                        "sizeBytes"),
                post("unknown provider", VOLUMES, "{'id':'tape:a','sizeBytes':512}", 400, "id", "[memory]"),
                post("group without volumes", GROUPS, "{'id':'g','volumes':[]}", 400, "volumes", "at least 1"),
                post(
                        "group with a volume twice",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders','memory:orders']}",
                        400,
                        "volumes",
                        "each once"),
                post(
                        "group with 65 volumes",
                        GROUPS,
                        "{'id':'g','volumes':" + manyVolumes() + "}",
                        400,
                        "volumes",
                        "at most 64"),
                post(
                        "group with an upper-case id",
                        GROUPS,
                        "{'id':'Orders','volumes':['memory:orders']}",
                        400,
                        "id",
                        "Orders"),
                post(
                        "group id of 64 characters",
                        GROUPS,
                        "{'id':'" + "a".repeat(64) + "','volumes':['memory:orders']}",
                        400,
                        "id",
                        "{0,62}"),
                post(
                        "freeze limit too short",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders'],'freezeLimitMillis':99}",
                        400,
                        "freezeLimitMillis",
                        "at least 100"),
                post(
                        "freeze limit too long",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders'],'freezeLimitMillis':60001}",
                        400,
                        "freezeLimitMillis",
                        "at most 60000"),
                post(
                        "consistency of no name",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders'],'requireConsistency':'PERFECT'}",
                        400,
                        "requireConsistency",
                        "APPLICATION"),
                post(
                        "quiescer without kind",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders'],'quiescers':[{}]}",
                        400,
                        "quiescers[0].kind",
                        "missing"),
                post(
                        "quiescer setting that is no text",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders'],'quiescers':[{'kind':'x','settings':{'port':5432}}]}",
                        400,
                        "quiescers[0].settings.port",
                        "string"),
                post(
                        "dry run as text",
                        "/v1/groups/orders/recovery-points",
                        "{'dryRun':'yes'}",
                        400,
                        "dryRun",
                        "boolean"),
                post(
                        "invitation for a moment",
                        "/v1/invitations",
                        "{'peer':'p','validMillis':59999}",
                        400,
                        "validMillis",
                        "at least 60000"),
                post(
                        "invitation for ever",
                        "/v1/invitations",
                        "{'peer':'p','validMillis':604800001}",
                        400,
                        "validMillis",
                        "at most 604800000"),
                post("token too short", "/v1/peers", "{'id':'p','token':'abc'}", 400, "token", "at least 16"),
                post(
                        "token of control characters",
                        "/v1/peers",
                        "{'id':'p','token':'aaaaaaaaaaaaaaaa\\u0007'}",
                        400,
                        "token",
                        "form"),
                post(
                        "token that is not ours",
                        "/v1/peers",
                        "{'id':'p','token':'aaaaaaaaaaaaaaaaaaaa'}",
                        422,
                        "token",
                        "POST /v1/invitations"),
                post("link every moment", LINKS, link("'everyMillis':999"), 400, "everyMillis", "at least 1000"),
                post(
                        "link once a year",
                        LINKS,
                        link("'everyMillis':31536000000"),
                        400,
                        "everyMillis",
                        "at most 2678400000"));
    }

    private static String link(String more) {
        return "{'peer':'site-b','group':'orders','volume':'memory:orders','peerVolume':'memory:copy'," + more + "}";
    }

    private static String manyVolumes() {
        var text = new StringBuilder("[");
        for (int index = 0; index < 65; index++) {
            text.append(index == 0 ? "" : ",").append("'memory:v").append(index).append('\'');
        }
        return text.append(']').toString();
    }

    private static List<Case> pathsAndQueries() {
        return List.of(
                get("no such path", "/v1/disks", 404, "", "/v1/disks"),
                get("a slash at the end", "/v1/volumes/", 404, "", "slash"),
                get("the root", "/", 404, "", "openapi"),
                get("limit of nothing", "/v1/volumes?limit=0", 400, "limit", "at least 1"),
                get("limit past the limit", "/v1/volumes?limit=1001", 400, "limit", "at most 1000"),
                get("limit that is no number", "/v1/volumes?limit=ten", 400, "limit", "integer"),
                get("a cursor of our own making", "/v1/volumes?cursor=abc", 400, "cursor", "nextCursor"),
                get("a cursor of bad characters", "/v1/volumes?cursor=a%20b", 400, "cursor", "form"),
                get(
                        "a cursor of another list",
                        "/v1/groups?cursor=" + Cursor.encode("volumes", "a"),
                        400,
                        "cursor",
                        "nextCursor"),
                get(
                        "a cursor that holds no number",
                        "/v1/operations?cursor=" + Cursor.encode("operations", "x"),
                        400,
                        "cursor",
                        "nextCursor"),
                get(
                        "a snapshot cursor cut short",
                        "/v1/snapshots?cursor=" + Cursor.encode("snapshots", "x"),
                        400,
                        "cursor",
                        "nextCursor"),
                get("an unknown parameter", "/v1/volumes?size=1", 400, "size", "limit"),
                get("a parameter twice", "/v1/volumes?limit=1&limit=2", 400, "limit", "twice"),
                get("a state of no name", "/v1/operations?state=DONE", 400, "state", "SUCCEEDED"),
                get("a volume id that is none", "/v1/volumes/orders", 400, "volumeId", "orders"),
                get("a volume that is not there", "/v1/volumes/memory%3Anone", 404, "", "memory:none"),
                get("a snapshot that is not there", "/v1/snapshots/memory%3Aorders%40rp-1", 404, "", "rp-1"),
                get("a snapshot id without a point", "/v1/snapshots/memory%3Aorders", 400, "snapshotId", "@rp-"),
                get("a group that is not there", "/v1/groups/none", 404, "", "GET /v1/groups"),
                get(
                        "a recovery point that is not there",
                        "/v1/recovery-points/rp-none",
                        404,
                        "",
                        "GET /v1/recovery-points"),
                get("a recovery point id that is none", "/v1/recovery-points/none", 400, "recoveryPointId", "rp-"),
                get("a peer that is not there", "/v1/peers/none", 404, "", "peer none"),
                get("a link that is not there", "/v1/links/ln-none", 404, "", "ln-none"),
                get("an operation that is not there", "/v1/operations/op-none", 404, "", "op-none"),
                get("an operation id that is none", "/v1/operations/1/events", 400, "operationId", "op-"));
    }

    private static List<Case> heads() {
        return List.of(
                with("no token", "GET", VOLUMES, "", Map.of("Authorization", ""), 401, "admin.token"),
                with(
                        "a wrong token",
                        "GET",
                        VOLUMES,
                        "",
                        Map.of("Authorization", "Bearer tdm_wrong"),
                        401,
                        "not known"),
                with(
                        "a huge token",
                        "GET",
                        VOLUMES,
                        "",
                        Map.of("Authorization", "Bearer " + "x".repeat(5_000)),
                        401,
                        "not known"),
                with("another scheme", "GET", VOLUMES, "", Map.of("Authorization", "Basic YTpi"), 401, "bearer"),
                with("no token for metrics", "GET", "/metrics", "", Map.of("Authorization", ""), 401, "token"),
                with("a method it has not", "PATCH", VOLUMES, "", AS_IT_IS, 405, "GET, POST"),
                with("DELETE of a list", "DELETE", GROUPS, "", AS_IT_IS, 405, "GET, POST"),
                with(
                        "an answer as XML",
                        "GET",
                        VOLUMES,
                        "",
                        Map.of("Accept", "application/xml"),
                        406,
                        "application/json"),
                with(
                        "JSON refused",
                        "GET",
                        VOLUMES,
                        "",
                        Map.of("Accept", "application/json;q=0"),
                        406,
                        "application/json"),
                with(
                        "a key of bad characters",
                        "POST",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders']}",
                        Map.of("Idempotency-Key", "a b"),
                        400,
                        "Idempotency-Key"),
                with(
                        "a key too long",
                        "POST",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders']}",
                        Map.of("Idempotency-Key", "k".repeat(129)),
                        400,
                        "Idempotency-Key"),
                with(
                        "a key for another body",
                        "POST",
                        GROUPS,
                        "{'id':'g','volumes':['memory:orders']}",
                        Map.of("Idempotency-Key", "used-key"),
                        422,
                        "new key"),
                with(
                        "a key for another path",
                        "POST",
                        "/v1/snapshots",
                        "{'volume':'memory:orders'}",
                        Map.of("Idempotency-Key", "used-key"),
                        422,
                        "new key"));
    }

    private static List<Case> relations() {
        return List.of(
                post(
                        "a volume that exists",
                        VOLUMES,
                        "{'id':'memory:orders','sizeBytes':512}",
                        409,
                        "",
                        "exists already"),
                post(
                        "a group that exists",
                        GROUPS,
                        "{'id':'orders','volumes':['memory:orders']}",
                        409,
                        "",
                        "exists already"),
                post(
                        "a group of unknown volumes",
                        GROUPS,
                        "{'id':'g','volumes':['memory:none']}",
                        404,
                        "",
                        "memory:none"),
                new Case(
                        "a group under another id",
                        "PUT",
                        "/v1/groups/orders",
                        bytes("{'id':'other','volumes':['memory:orders']}"),
                        AS_IT_IS,
                        400,
                        "id",
                        "orders"),
                new Case(
                        "replacing what is not there",
                        "PUT",
                        "/v1/groups/none",
                        bytes("{'id':'none','volumes':['memory:orders']}"),
                        AS_IT_IS,
                        404,
                        "",
                        "group none"),
                post("a snapshot of nothing", "/v1/snapshots", "{'volume':'memory:none'}", 404, "", "memory:none"),
                post("a copy to nowhere", COPIES, "{'to':'nowhere'}", 400, "to", "nowhere"),
                post("a copy to nobody", COPIES, "{}", 400, "to", ""),
                post("a recovery point of no group", "/v1/groups/none/recovery-points", "{}", 404, "", "group none"),
                post(
                        "a clone of nothing",
                        "/v1/recovery-points/rp-1/clones",
                        "{'volume':'memory:orders','name':'memory:b'}",
                        404,
                        "",
                        "rp-1"),
                post(
                        "a rollback with a word that is none",
                        "/v1/recovery-points/rp-1/rollback",
                        "{'whenOpen':'later'}",
                        400,
                        "whenOpen",
                        "defer"),
                post("a rollback to nothing", "/v1/recovery-points/rp-1/rollback", "{}".repeat(0), 404, "", "rp-1"),
                post(
                        "a peer that is paired",
                        "/v1/peers",
                        "{'id':'site-b','token':'tidemark-invitation-9'}",
                        409,
                        "",
                        "site-b"),
                post(
                        "an invitation for a paired peer",
                        "/v1/invitations",
                        "{'peer':'site-b','validMillis':60000}",
                        409,
                        "",
                        "site-b"),
                post(
                        "a spent token",
                        "/v1/peers",
                        "{'id':'site-c','token':'tidemark-invitation-1'}",
                        422,
                        "token",
                        "invitation"),
                post(
                        "a link to a stranger",
                        LINKS,
                        "{'peer':'none','group':'orders','volume':'memory:orders','peerVolume':'memory:c'}",
                        404,
                        "",
                        "peer none"),
                post(
                        "a link of no group",
                        LINKS,
                        "{'peer':'site-b','group':'none','volume':'memory:orders','peerVolume':'memory:c'}",
                        404,
                        "",
                        "group none"),
                post(
                        "a link of another volume",
                        LINKS,
                        "{'peer':'site-b','group':'orders','volume':'memory:x','peerVolume':'memory:c'}",
                        400,
                        "volume",
                        "memory:orders"),
                post("syncing over no link", "/v1/links/ln-1/syncs", "{}", 404, "", "ln-1"),
                post("verifying over no link", "/v1/links/ln-1/verifications", "{}", 404, "", "ln-1"),
                post("cancelling nothing", "/v1/operations/op-1/cancel", "", 404, "", "op-1"));
    }
}
