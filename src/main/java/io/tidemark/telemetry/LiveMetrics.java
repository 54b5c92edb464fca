package io.tidemark.telemetry;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.tidemark.control.port.LiveHost.Aspect;
import io.tidemark.control.port.LiveHost.Carried;
import io.tidemark.control.port.LiveHost.Live;
import io.tidemark.domain.LinkId;
import io.tidemark.replication.live.DirtyBitmap;
import io.tidemark.replication.live.LiveFigures;
import io.tidemark.replication.live.LiveStatus;
import io.tidemark.replication.live.LiveStatus.DiskState;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;

/**
 * Live links, each with its id as a label: a site has 32 at most, and one that is ended is told of no more. All series of a
 * scrape are of one look at each link.
 */
final class LiveMetrics {
    private final MeterRegistry registry;
    private final Supplier<List<Live>> links;
    /** As they were looked at last; guarded by this, as the meters are. */
    private Map<LinkId, Live> seen = Map.of();

    private final Map<LinkId, List<Meter>> meters = new HashMap<>();

    LiveMetrics(MeterRegistry registry, Supplier<List<Live>> links) {
        this.registry = registry;
        this.links = links;
    }

    /** Before each scrape. */
    synchronized void look() {
        seen = links.get().stream().collect(Collectors.toMap(each -> each.link().id(), each -> each));
        var gone = new ArrayList<>(meters.keySet());
        gone.removeAll(seen.keySet());
        for (var id : gone) {
            meters.getOrDefault(id, List.of()).forEach(registry::remove);
            meters.remove(id);
        }
        for (var id : seen.keySet()) {
            meters.computeIfAbsent(id, this::registered);
        }
    }

    private List<Meter> registered(LinkId id) {
        var made = new ArrayList<Meter>();
        states(made, id);
        made.add(gauge(
                id,
                "connected",
                "1 while the peer is connected",
                "",
                live -> live.peerAddress().isPresent() ? 1 : 0));
        made.add(gauge(
                id,
                "dirty",
                "that the peer may lack, or this copy is to be given",
                "bytes",
                live -> blocks(live.status().map(LiveStatus::dirtyBlocks))));
        made.add(gauge(
                id,
                "buffer.used",
                "of the send buffer, not durable at the peer",
                "bytes",
                live -> live.figures().map(LiveFigures::unconfirmedBytes).orElse(0L)));
        made.add(gauge(
                id,
                "buffer.limit",
                "that the send buffer holds at most",
                "bytes",
                live -> live.link().terms().bufferBytes()));
        made.add(gauge(
                id,
                "resync.done",
                "of a resync that runs from here",
                "bytes",
                live -> blocks(live.figures().flatMap(LiveFigures::resync).map(LiveFigures.Resync::doneBlocks))));
        made.add(gauge(
                id,
                "resync.left",
                "of a resync that runs from here",
                "bytes",
                live -> blocks(live.figures().flatMap(LiveFigures::resync).map(LiveFigures.Resync::leftBlocks))));
        made.add(counter(
                id,
                "sessions",
                "connections with the peer that were begun",
                "",
                "",
                live -> live.traffic().sessions()));
        carried(made, id, "sent", live -> live.traffic().sent());
        carried(made, id, "received", live -> live.traffic().received());
        for (var aspect : Aspect.values()) {
            made.add(counter(
                    id,
                    "changes",
                    "of a link, by what has changed",
                    "",
                    word(aspect),
                    live -> live.changes().getOrDefault(aspect, 0L)));
        }
        return made;
    }

    private void states(List<Meter> made, LinkId id) {
        for (var role : Role.values()) {
            made.add(state(
                    id,
                    "role",
                    role,
                    live -> live.status().map(LiveStatus::role).orElse(Role.SECONDARY)));
        }
        for (var disk : DiskState.values()) {
            made.add(state(
                    id,
                    "disk",
                    disk,
                    live -> live.status().map(LiveStatus::disk).orElse(DiskState.FAILED)));
        }
        for (var replication : ReplicationState.values()) {
            made.add(state(
                    id,
                    "replication",
                    replication,
                    live -> live.status().map(LiveStatus::replication).orElse(ReplicationState.OFF)));
        }
    }

    private void carried(List<Meter> made, LinkId id, String direction, Function<Live, Carried> of) {
        var description = "bytes of the volume, by why they were " + direction;
        made.add(counter(
                id,
                direction,
                description,
                "bytes",
                "write",
                live -> of.apply(live).writeBytes()));
        made.add(counter(
                id,
                direction,
                description,
                "bytes",
                "resync",
                live -> of.apply(live).resyncBytes()));
        made.add(counter(
                id,
                direction,
                description,
                "bytes",
                "compare",
                live -> of.apply(live).comparedBytes()));
    }

    private static double blocks(Optional<Long> count) {
        return count.orElse(0L) * (double) DirtyBitmap.BLOCK_BYTES;
    }

    private static String word(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }

    /** One series for each state it may have: 1 where it has it. */
    private Meter state(LinkId id, String what, Enum<?> state, Function<Live, Enum<?>> now) {
        return Gauge.builder("tidemark.live." + what, this, all -> all.of(id, live -> now.apply(live) == state ? 1 : 0))
                .description("1 at the state that it has")
                .tag("link", id.value())
                .tag("state", word(state))
                .register(registry);
    }

    private Meter gauge(LinkId id, String what, String description, String unit, ToDoubleFunction<Live> value) {
        return Gauge.builder("tidemark.live." + what, this, all -> all.of(id, value))
                .description(description)
                .baseUnit(unit.isEmpty() ? null : unit)
                .tag("link", id.value())
                .register(registry);
    }

    /** @param kind of what is counted; empty where there is one alone */
    private Meter counter(
            LinkId id, String what, String description, String unit, String kind, ToDoubleFunction<Live> value) {
        var builder = FunctionCounter.builder("tidemark.live." + what, this, all -> all.of(id, value))
                .description(description)
                .baseUnit(unit.isEmpty() ? null : unit)
                .tag("link", id.value());
        return (kind.isEmpty() ? builder : builder.tag("what", kind)).register(registry);
    }

    private synchronized double of(LinkId id, ToDoubleFunction<Live> value) {
        var live = seen.get(id);
        return live == null ? 0 : value.applyAsDouble(live);
    }
}
