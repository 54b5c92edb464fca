@org.jspecify.annotations.NullMarked
package io.tidemark.provider.cloud;
