package io.tidemark.agent.remote;

import io.tidemark.spi.FastRestores;
import io.tidemark.spi.RecycleBin;
import io.tidemark.spi.SnapshotArchives;
import io.tidemark.spi.SnapshotCopies;
import io.tidemark.spi.SnapshotLocks;
import io.tidemark.spi.StorageProvider;
import io.tidemark.spi.StorageReplication;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a storage may be able to do besides ({@link StorageProvider#ability}), and an agent be asked for. Abilities whose
 * work is content (streams, trees of files) are none: content does not travel over an agent's connection.
 */
public enum AgentAbility {
    LOCKS("locks", SnapshotLocks.class),
    ARCHIVES("archives", SnapshotArchives.class),
    FAST_RESTORES("fastRestores", FastRestores.class),
    RECYCLE_BIN("recycleBin", RecycleBin.class),
    COPIES("copies", SnapshotCopies.class),
    STORAGE_REPLICATION("storageReplication", StorageReplication.class);

    private final String setting;
    private final Class<?> type;

    AgentAbility(String setting, Class<?> type) {
        this.setting = setting;
        this.type = type;
    }

    /** As {@code agent.abilities} names it. */
    public String setting() {
        return setting;
    }

    /** @throws IllegalArgumentException with what there is */
    public static AgentAbility named(String setting) {
        return Arrays.stream(values())
                .filter(each -> each.setting.equals(setting))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no ability is called %s; there are %s"
                        .formatted(
                                setting,
                                Arrays.stream(values())
                                        .map(AgentAbility::setting)
                                        .collect(Collectors.joining(", ")))));
    }

    static Optional<AgentAbility> of(Class<?> type) {
        return Arrays.stream(values()).filter(each -> each.type.equals(type)).findFirst();
    }

    /** Those that a storage has. */
    static Set<AgentAbility> of(StorageProvider provider) {
        var all = EnumSet.noneOf(AgentAbility.class);
        for (var each : values()) {
            if (provider.ability(each.type).isPresent()) {
                all.add(each);
            }
        }
        return all;
    }
}
