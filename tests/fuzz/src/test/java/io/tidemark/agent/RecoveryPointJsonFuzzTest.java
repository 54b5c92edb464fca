package io.tidemark.agent;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.tidemark.replication.ReplicationError;
import io.tidemark.replication.ReplicationException;
import java.nio.charset.StandardCharsets;

/** The recovery point that an offer carries: once read, it can be recorded. */
class RecoveryPointJsonFuzzTest {
    @FuzzTest
    void recoveryPoint(byte[] bytes) throws ReplicationException {
        io.tidemark.domain.RecoveryPoint point;
        try {
            point = RecoveryPointJson.parse(new String(bytes, StandardCharsets.UTF_8));
        } catch (ReplicationException e) {
            assertThat(e.error()).isInstanceOf(ReplicationError.CorruptFrame.class);
            return;
        }
        assertThat(point.id()).isNotNull();
        assertThat(point.certificate().host()).isNotNull();
        assertThat(point.members())
                .allSatisfy(member -> assertThat(member.volume()).isNotNull());
        assertThat(RecoveryPointJson.parse(RecoveryPointJson.of(point))).isEqualTo(point);
    }
}
