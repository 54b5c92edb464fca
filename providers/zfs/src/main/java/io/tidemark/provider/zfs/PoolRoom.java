package io.tidemark.provider.zfs;

import io.tidemark.provider.devices.FillForecast;
import io.tidemark.provider.devices.FillRates;
import io.tidemark.spi.ProviderException;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Room in the pool, and in the dataset, which may have a quota: told ahead from what was seen so far, and refused to
 * snapshots that would have to go too soon. What is reserved counts as used, for nobody else gets it.
 */
final class PoolRoom {
    private final ZfsConfig config;
    private final ZfsCommands commands;
    private final FillRates rates;

    PoolRoom(ZfsConfig config, ZfsCommands commands, InstantSource clock) {
        this.config = config;
        this.commands = commands;
        this.rates = new FillRates(clock);
    }

    /** @param availableBytes what ZFS gives out yet, without what it keeps back for itself */
    record Room(long usedBytes, long availableBytes) {
        long sizeBytes() {
            return Math.addExact(usedBytes, availableBytes);
        }
    }

    /** For people: when they will be full, and whether that is soon enough to refuse; empty where nothing can be said. */
    Optional<String> note() throws ProviderException {
        var seen = seen();
        var left = seen.entrySet().stream()
                .flatMap(each -> each.getValue().left().stream()
                        .map(time -> ", at the present rate %s is full in %s"
                                .formatted(each.getKey(), FillForecast.text(time))))
                .collect(Collectors.joining());
        var note = left + config.keepFor().note(List.copyOf(seen.values()));
        return note.isEmpty() ? Optional.empty() : Optional.of("room of " + config.dataset() + note);
    }

    /**
     * Asks nobody where nothing is set.
     *
     * @throws ProviderException OutOfSpace where one of them would be full before a snapshot may go
     */
    void refuseWhereShort() throws ProviderException {
        if (!config.keepFor().isSet()) {
            return;
        }
        for (var each : seen().entrySet()) {
            boolean pool = each.getKey().equals(config.pool());
            config.keepFor()
                    .refuseWhereShort(
                            (pool ? "pool " : "dataset ") + each.getKey(),
                            each.getValue(),
                            pool
                                    ? "enlarge it: zpool add %s DEVICE; delete snapshots".formatted(each.getKey())
                                    : "raise its quota: zfs set quota=SIZE %s; delete snapshots"
                                            .formatted(each.getKey()));
        }
    }

    /** The pool first: where that is short, no quota helps. */
    private Map<String, FillForecast> seen() throws ProviderException {
        var names = Stream.of(config.pool(), config.dataset()).distinct().toList();
        var rooms = commands.rooms(names);
        var seen = new LinkedHashMap<String, FillForecast>();
        for (var name : names) {
            var room = rooms.get(name);
            if (room != null) {
                seen.put(name, rates.seen(name, room.sizeBytes(), room.usedBytes()));
            }
        }
        return seen;
    }
}
