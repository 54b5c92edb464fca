package io.tidemark.agent.remote;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import io.tidemark.domain.Certificate;
import io.tidemark.domain.Consistency;
import io.tidemark.domain.ConsistencyGroup;
import io.tidemark.domain.QuiescerSpec;
import io.tidemark.spi.VolumeId;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A group, host by host: each as that host would know it, for its volumes and quiescers alone.
 *
 * @param byHost in order of the group's first volume of each; by the agent's name, or {@link Certificate.Order#HERE}
 */
record GroupParts(Map<String, ConsistencyGroup> byHost) {

    /** @throws ConsistencyException BadQuiescerSetting where a quiescer is of a host that has no volume of the group */
    static GroupParts of(ConsistencyGroup group) throws ConsistencyException {
        Map<String, List<VolumeId>> volumes = new LinkedHashMap<>();
        for (var volume : group.volumes()) {
            volumes.computeIfAbsent(volume.agent().orElse(Certificate.Order.HERE), host -> new ArrayList<>())
                    .add(volume.onItsHost());
        }
        Map<String, List<QuiescerSpec>> quiescers = new LinkedHashMap<>();
        for (var quiescer : group.quiescers()) {
            var host = quiescer.agent().orElse(Certificate.Order.HERE);
            if (!volumes.containsKey(host)) {
                throw new ConsistencyException(new ConsistencyError.BadQuiescerSetting(
                        quiescer.kind(),
                        "kind",
                        "is of host %s, which has no volume of the group; write %s before it: HOST/%s"
                                .formatted(
                                        host,
                                        "one of " + volumes.keySet(),
                                        quiescer.onItsHost().kind())));
            }
            quiescers.computeIfAbsent(host, name -> new ArrayList<>()).add(quiescer.onItsHost());
        }
        Map<String, ConsistencyGroup> parts = new LinkedHashMap<>();
        volumes.forEach((host, own) -> parts.put(host, part(group, own, quiescers.getOrDefault(host, List.of()))));
        return new GroupParts(parts);
    }

    private static ConsistencyGroup part(ConsistencyGroup group, List<VolumeId> volumes, List<QuiescerSpec> quiescers) {
        boolean most = group.requireConsistency() == Consistency.APPLICATION;
        return new ConsistencyGroup(
                group.id(),
                volumes,
                quiescers,
                group.freezeFileSystems(),
                group.freezeLimit(),
                most && quiescers.isEmpty() && !group.quiescers().isEmpty()
                        ? Consistency.FILESYSTEM
                        : group.requireConsistency());
    }

    boolean isHere() {
        return byHost.size() == 1 && byHost.containsKey(Certificate.Order.HERE);
    }
}
