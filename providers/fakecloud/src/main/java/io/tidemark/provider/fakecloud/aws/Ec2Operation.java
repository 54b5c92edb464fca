package io.tidemark.provider.fakecloud.aws;

import io.tidemark.provider.fakecloud.CallKind;

/**
 * One operation of EC2.
 *
 * @param kind which faults can befall it
 * @param body its effect, and its answer between the outer elements
 */
record Ec2Operation(CallKind kind, Body body) {
    /** Runs under the lock of the account. */
    interface Body {
        void answer(Ec2Call call, Xml xml) throws Ec2Exception;
    }
}
