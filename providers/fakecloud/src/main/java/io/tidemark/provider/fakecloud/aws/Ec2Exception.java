package io.tidemark.provider.fakecloud.aws;

/** An error answer of EC2. */
final class Ec2Exception extends Exception {
    private static final int BAD_REQUEST = 400;

    final String code;
    final int status;

    Ec2Exception(String code, String message) {
        this(BAD_REQUEST, code, message);
    }

    Ec2Exception(int status, String code, String message) {
        super(message);
        this.status = status;
        this.code = code;
    }

    String text() {
        String message = getMessage();
        return message == null ? "" : message;
    }
}
