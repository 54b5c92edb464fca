package io.tidemark.provider.fakecloud.gce;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.provider.fakecloud.Fault;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Lists in pages. A token belongs to the question that it came with. Guarded by the lock of the account. */
final class GcePages {
    private static final int PAGE_DEFAULT = 500;

    private final GceAccount account;
    private final Set<String> expired = new HashSet<>();
    /** No two tokens are alike: one that has expired is not given out again. */
    private long tokens;

    private record Page(List<GceResource> items, @Nullable String next) {}

    GcePages(GceAccount account) {
        this.account = account;
    }

    ObjectNode list(GceCall call, Fault fault) throws GceException {
        String prefix = call.path() + "/";
        var page = page(call, fault, each -> each.path().startsWith(prefix));
        var json = head(call, page, "#" + singular(call.collection()) + "List");
        if (!page.items().isEmpty()) {
            var items = json.putArray("items");
            page.items().forEach(each -> items.add(each.json(account.now())));
        }
        return json;
    }

    ObjectNode aggregated(GceCall call, Fault fault) throws GceException {
        var page = page(call, fault, each -> true);
        var json = head(call, page, "#" + singular(call.collection()) + "AggregatedList");
        var items = json.putObject("items");
        for (var each : page.items()) {
            items.withObjectProperty(each.location)
                    .withArrayProperty(call.collection())
                    .add(each.json(account.now()));
        }
        return json;
    }

    private static String singular(String collection) {
        return collection.equals("resourcePolicies")
                ? "resourcePolicy"
                : collection.substring(0, collection.length() - 1);
    }

    private static ObjectNode head(GceCall call, Page page, String kind) {
        var json = JsonNodeFactory.instance.objectNode();
        json.put("kind", "compute" + kind);
        json.put("id", call.path());
        json.put("selfLink", GceResource.link(call.path()));
        if (page.next() != null) {
            json.put("nextPageToken", page.next());
        }
        return json;
    }

    private Page page(GceCall call, Fault fault, Predicate<GceResource> within) throws GceException {
        int size = size(call);
        String after = after(call, fault);
        if (fault == Fault.EMPTY_PAGE) {
            return new Page(List.of(), token(call, after));
        }
        var filter = GceFilter.parse(call.query().getOrDefault("filter", ""));
        var items = new ArrayList<GceResource>();
        for (var each : account.all(call.collection()).tailMap(after, false).values()) {
            if (!within.test(each) || !filter.matches(each, account.now())) {
                continue;
            }
            if (each.hidden > 0) {
                each.hidden--;
                continue;
            }
            if (items.size() == size) {
                return new Page(items, token(call, items.getLast().path()));
            }
            items.add(each);
        }
        return new Page(items, null);
    }

    private static int size(GceCall call) throws GceException {
        String asked = call.query().getOrDefault("maxResults", String.valueOf(PAGE_DEFAULT));
        if (!asked.matches("[0-9]{1,4}") || Integer.parseInt(asked) > PAGE_DEFAULT) {
            throw GceException.invalid("Invalid value for field 'maxResults': '%s'".formatted(asked));
        }
        return Integer.parseInt(asked) == 0 ? PAGE_DEFAULT : Integer.parseInt(asked);
    }

    private String after(GceCall call, Fault fault) throws GceException {
        String token = call.query().getOrDefault("pageToken", "");
        if (token.isEmpty()) {
            return "";
        }
        if (fault == Fault.EXPIRE_TOKEN) {
            expired.add(token);
        }
        String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
        String question = question(call);
        if (expired.contains(token) || !text.startsWith(question)) {
            throw GceException.invalid("Invalid value for field 'pageToken': '%s'".formatted(token));
        }
        return text.substring(text.indexOf('|', question.length()) + 1);
    }

    private String token(GceCall call, String after) {
        byte[] text = (question(call) + ++tokens + "|" + after).getBytes(StandardCharsets.UTF_8);
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text);
    }

    private static String question(GceCall call) {
        return Integer.toHexString((call.path() + "?" + call.query().getOrDefault("filter", "")).hashCode()) + "|";
    }
}
