package io.tidemark.control.port;

import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.GroupId;
import io.tidemark.spi.VolumeId;
import java.util.List;
import java.util.Optional;

/** Keeps consistency groups. */
public interface GroupStore {
    /** @return false when there is one of that id; nothing changed then */
    boolean add(ConsistencyGroup group);

    /** @return false when there is none of that id */
    boolean replace(ConsistencyGroup group);

    Optional<ConsistencyGroup> find(GroupId id);

    /** In order of id, after the given one. */
    Page<ConsistencyGroup> page(Optional<String> after, int limit);

    /** Groups that name the volume, in order of id. */
    List<GroupId> ofVolume(VolumeId volume);

    /** @return false when there was none */
    boolean remove(GroupId id);
}
