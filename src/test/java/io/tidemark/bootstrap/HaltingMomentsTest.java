package io.tidemark.bootstrap;

import static org.assertj.core.api.Assertions.assertThat;

import io.tidemark.domain.Moment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(30)
class HaltingMomentsTest {
    @TempDir
    private Path folder;

    @Test
    void whoComesToAMomentThatIsHeldWaitsUntilItsFileIsDeleted() throws Exception {
        var file = Files.writeString(folder.resolve("halt"), "SNAPSHOT_CUT:2:hold");
        var held = folder.resolve("halt.held");
        var moments = HaltingMoments.at(file);
        moments.reached(Moment.THAWED);
        moments.reached(Moment.SNAPSHOT_CUT);
        assertThat(held).doesNotExist();

        var comer = Thread.ofVirtual().start(() -> moments.reached(Moment.SNAPSHOT_CUT));
        while (!Files.exists(held)) {
            TimeUnit.MILLISECONDS.sleep(1);
        }

        assertThat(comer.join(java.time.Duration.ofMillis(50))).isFalse();
        Files.delete(held);
        comer.join();
        assertThat(file).doesNotExist();
    }
}
