package io.tidemark.provider.fakecloud.azure;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A collection of restore points of one machine. */
public final class FakeCollection extends FakeResource {
    public final String vm;
    final NavigableMap<String, Point> points = new TreeMap<>();

    /** The end of its deletion, where one has begun. */
    @Nullable
    Instant goneAt;

    /** What a machine's disks held at one time. */
    static final class Point {
        final String id;
        final String name;
        final Instant createdAt;
        final String consistencyMode;
        final List<String> excluded;
        final List<PointDisk> disks = new ArrayList<>();
        Instant readyAt;
        boolean failed;
        int invisible;

        Point(String id, String name, Instant createdAt, String consistencyMode, List<String> excluded) {
            this.id = id;
            this.name = name;
            this.createdAt = createdAt;
            this.readyAt = createdAt;
            this.consistencyMode = consistencyMode;
            this.excluded = excluded;
        }

        String state(Instant now) {
            if (now.isBefore(readyAt)) {
                return "Creating";
            }
            return failed ? "Failed" : "Succeeded";
        }

        boolean seen(Instant now) {
            if (invisible > 0 && now.isBefore(createdAt.plus(INVISIBLE_MAXIMUM))) {
                invisible--;
                return false;
            }
            return true;
        }
    }

    /** One disk's restore point. */
    record PointDisk(String id, FakeDisk disk, int sizeGib, NavigableMap<Integer, byte[]> content) {}

    FakeCollection(String id, String location, String uniqueId, Instant createdAt, String vm) {
        super(id, location, uniqueId, createdAt);
        this.vm = vm;
    }
}
