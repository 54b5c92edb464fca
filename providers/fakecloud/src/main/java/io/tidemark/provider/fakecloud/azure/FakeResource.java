package io.tidemark.provider.fakecloud.azure;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** What has an address, tags and a state in an account. Guarded by the account's lock. */
public abstract sealed class FakeResource permits FakeDisk, FakeSnapshot, FakeCollection {
    /** However few have looked: twice what was reported of any cloud (coldsnap, issue 43). */
    static final Duration INVISIBLE_MAXIMUM = Duration.ofMinutes(4);

    /** Whole, as it was made: {@code /subscriptions/...}. */
    public final String id;

    public final String group;
    public final String name;
    public final String location;
    final String uniqueId;
    final Instant createdAt;
    Map<String, String> tags = new TreeMap<>();
    /** Shown by the next looks instead of the tags. */
    private Map<String, String> oldTags = Map.of();

    private int oldLooks;
    Instant readyAt;
    boolean failed;
    /** Looks that do not see it yet. */
    int invisible;

    FakeResource(String id, String location, String uniqueId, Instant createdAt) {
        this.id = id;
        this.group = part(id, 4);
        this.name = id.substring(id.lastIndexOf('/') + 1);
        this.location = location;
        this.uniqueId = uniqueId;
        this.createdAt = createdAt;
        this.readyAt = createdAt;
    }

    public Map<String, String> tags() {
        return Map.copyOf(tags);
    }

    /** @param looks that will not see it yet */
    void tag(Map<String, String> changed, int looks) {
        oldTags = tags;
        oldLooks = looks;
        tags = changed;
    }

    /** As this look sees them. */
    Map<String, String> shownTags() {
        if (oldLooks > 0) {
            oldLooks--;
            return oldTags;
        }
        return tags;
    }

    /** As Resource Manager finds it: it minds no case. */
    static String key(String id) {
        return id.toLowerCase(Locale.ROOT);
    }

    /** A word between the slashes, from 0 on; the first is empty. */
    static String part(String id, int index) {
        return id.split("/", -1)[index];
    }

    String provisioningState(Instant now) {
        if (now.isBefore(readyAt)) {
            return "Updating";
        }
        return failed ? "Failed" : "Succeeded";
    }

    /** Whether this look sees it. */
    boolean seen(Instant now) {
        if (invisible > 0 && now.isBefore(createdAt.plus(INVISIBLE_MAXIMUM))) {
            invisible--;
            return false;
        }
        return true;
    }
}
