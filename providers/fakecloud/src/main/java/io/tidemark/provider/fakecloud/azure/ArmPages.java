package io.tidemark.provider.fakecloud.azure;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.provider.fakecloud.Fault;
import io.tidemark.provider.fakecloud.HttpAnswer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.NavigableMap;
import java.util.function.Function;

/** Lists in pages: each names the address of the next. */
final class ArmPages {
    static final String SKIP = "$skiptoken";

    private final AzureState state;

    ArmPages(AzureState state) {
        this.state = state;
    }

    /** @param all by key; those of another group than the call's, where it names one, are passed over */
    <T extends FakeResource> HttpAnswer page(ArmCall call, NavigableMap<String, T> all, Function<T, JsonNode> told)
            throws ArmException {
        var after = after(call);
        var page = ArmAnswers.object();
        var values = page.putArray("value");
        if (call.fault() == Fault.EMPTY_PAGE) {
            page.put("nextLink", next(call, after));
            return ArmAnswers.json(200, page);
        }
        var last = after;
        for (var each : all.tailMap(after, false).entrySet()) {
            var resource = each.getValue();
            if (!call.group().isEmpty() && !resource.group.equalsIgnoreCase(call.group())) {
                continue;
            }
            if (values.size() == state.settings.pageItems()) {
                page.put("nextLink", next(call, last));
                break;
            }
            if (resource.seen(state.now())) {
                values.add(told.apply(resource));
            }
            last = each.getKey();
        }
        return ArmAnswers.json(200, page);
    }

    private String after(ArmCall call) throws ArmException {
        var token = call.request().queryFields().get(SKIP);
        if (token == null) {
            return "";
        }
        if (call.fault() == Fault.EXPIRE_TOKEN) {
            state.expiredTokens.add(token);
        }
        if (state.expiredTokens.contains(token)) {
            throw new ArmException(400, "InvalidSkipToken", "The skip token is invalid or has expired.");
        }
        var text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
        return text.substring(text.indexOf(' ') + 1);
    }

    /** Another one each time: that one has expired says nothing of those to come. */
    private String next(ArmCall call, String after) {
        var text = state.newUuid() + " " + after;
        var token = Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
        return "%s%s?api-version=%s&%s=%s"
                .formatted(
                        ArmAnswers.base(call),
                        call.request().path,
                        call.request().queryFields().getOrDefault("api-version", ""),
                        SKIP,
                        token);
    }
}
