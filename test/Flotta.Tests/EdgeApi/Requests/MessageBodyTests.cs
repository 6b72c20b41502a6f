using System.Buffers;
using Flotta.EdgeApi.Requests;
using Microsoft.AspNetCore.Http;

namespace Flotta.Tests.EdgeApi.Requests;

public sealed class MessageBodyTests
{
    // Larger than the buffer that a body without a length begins with, so that it grows before the sender is gone.
    [Theory]
    [InlineData(40_000)]
    [InlineData(200_000)]
    public async Task A_large_body_that_breaks_off_leaves_no_buffer_with_two_owners(int length)
    {
        for (var i = 0; i < 20; i++)
        {
            var http = new DefaultHttpContext();
            http.Request.Method = "POST";
            http.Request.ContentType = "application/json";
            http.Request.ContentLength = null;
            http.Features.Set<Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature>(new HasBody());
            http.Request.Body = new BrokenStream(length);
            await Should.ThrowAsync<BadHttpRequestException>(() => MessageBody.ReadAsync(http));
        }

        foreach (var size in new[] { 16 * 1024, 32 * 1024, 64 * 1024, 128 * 1024, 256 * 1024 })
        {
            var rented = Enumerable.Range(0, 40).Select(_ => ArrayPool<byte>.Shared.Rent(size)).ToList();
            rented.Distinct(ReferenceEqualityComparer.Instance).Count().ShouldBe(rented.Count, $"buffers of {size} bytes");
            rented.ForEach(one => ArrayPool<byte>.Shared.Return(one));
        }
    }

    private sealed class HasBody : Microsoft.AspNetCore.Http.Features.IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }

    /// <summary>Blanks, and then the connection is gone.</summary>
    private sealed class BrokenStream(int length) : MemoryStream(Enumerable.Repeat((byte)' ', length).ToArray())
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Position < Length ? ValueTask.FromResult(Read(buffer.Span)) : ValueTask.FromException<int>(new IOException("gone"));
    }
}
