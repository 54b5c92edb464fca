package io.tidemark.system.lab;

import static org.junit.jupiter.api.Assertions.fail;

import org.junit.jupiter.api.Test;

/** Fails, so that a test on the host sees how failures in the lab are told. */
@InLab
class FailingInLab {
    @Test
    void fails() {
        fail("the reason to be told");
    }
}
