package io.tidemark.live;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.tidemark.replication.live.Bytes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RequestsTest {
    private final Requests requests = new Requests();
    private final List<String> told = new ArrayList<>();
    private boolean isFailing;

    private final Requests.Waiting waiting = new Requests.Waiting() {
        @Override
        public void answered(Optional<Bytes> data) {
            if (isFailing) {
                throw new IllegalStateException("no memory for the answer");
            }
            told.add("answered");
        }

        @Override
        public void refused(String why) {
            told.add(why);
        }

        @Override
        public Optional<Runnable> afterwards() {
            return Optional.of(RequestsTest.this::afterwards);
        }
    };

    private void afterwards() {
        told.add("afterwards");
    }

    @Test
    void whoeverCannotBeAnsweredIsRefusedWithAllOthers() {
        long request = requests.add(waiting);
        isFailing = true;
        assertThatIllegalStateException().isThrownBy(() -> requests.answered(request, Optional.empty()));

        requests.refuseAll("the copy has failed");
        requests.refuseAll("again");

        assertThat(told).containsExactly("the copy has failed");
    }

    @Test
    void eachIsToldOnceAndWhatFollowsIsRunForIt() {
        long request = requests.add(waiting);
        requests.answered(request, Optional.empty());
        requests.answered(request, Optional.empty());
        requests.refused(request, "too late");

        requests.toTell().forEach(Runnable::run);

        assertThat(told).containsExactly("answered", "afterwards");
        assertThat(requests.toTell()).isEmpty();
    }
}
