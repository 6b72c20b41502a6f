using System.Buffers;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Access.Audit;

/// <summary>
/// Writes entries as JSON lines behind the requests: a request never waits for it. When they come faster than the disk takes them they are dropped and counted,
/// and a line says how many.
/// </summary>
internal sealed class AuditLog : IAsyncDisposable
{
    public const long Largest = 50 * 1024 * 1024;
    public const int Kept = 4;

    private const int Waiting = 8192;
    private const int Portion = 256 * 1024;
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly Channel<AuditEntry> queue;
    private readonly AuditFile file;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task writing;
    private long dropped;
    private bool failing;

    public AuditLog(string path, TimeProvider time, ILogger logger, long largest = Largest, int kept = Kept, int waiting = Waiting)
    {
        this.time = time;
        this.logger = logger;
        queue = Channel.CreateBounded<AuditEntry>(new BoundedChannelOptions(waiting) { SingleReader = true });
        file = new AuditFile(path, largest, kept);
        writing = Task.Run(RunAsync);
    }

    /// <summary>How many entries there was no room for, or that the disk did not take, since the last line that said so.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public void Add(AuditEntry entry)
    {
        if (!queue.Writer.TryWrite(entry))
            Interlocked.Increment(ref dropped);
    }

    public async ValueTask DisposeAsync()
    {
        queue.Writer.TryComplete();
        await writing;
        file.Dispose();
    }

    private async Task RunAsync()
    {
        var lines = new ArrayBufferWriter<byte>(16 * 1024);
        await using var json = new Utf8JsonWriter(lines, Relaxed);
        while (await queue.Reader.WaitToReadAsync())
        {
            var count = 0;
            while (lines.WrittenCount < Portion && queue.Reader.TryRead(out var entry))
            {
                entry.Write(json);
                End(json, lines);
                count++;
            }

            var lost = Interlocked.Exchange(ref dropped, 0);
            if (lost > 0)
            {
                AccessLog.AuditDropped(logger, lost);
                json.WriteStartObject();
                json.WriteString("time", time.GetUtcNow());
                json.WriteNumber("dropped", lost);
                json.WriteEndObject();
                End(json, lines);
            }

            Append(lines.WrittenSpan, count + lost);
            lines.ResetWrittenCount();
        }
    }

    // A full disk must not stop the server: what could not be written is counted, and the next portion tries again.
    private void Append(ReadOnlySpan<byte> lines, long count)
    {
        try
        {
            file.Append(lines);
            failing = false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!failing)
                AccessLog.AuditFailed(logger, e);
            failing = true;
            Interlocked.Add(ref dropped, count);
            try
            {
                file.Close();
            }
            catch (IOException)
            {
                // What the buffer still held has been counted.
            }
        }
    }

    private static void End(Utf8JsonWriter json, ArrayBufferWriter<byte> lines)
    {
        json.Flush();
        json.Reset();
        lines.Write("\n"u8);
    }
}
