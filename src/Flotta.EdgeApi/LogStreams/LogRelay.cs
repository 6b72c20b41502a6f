using System.Buffers;
using System.Globalization;
using Flotta.Wire;
using Microsoft.AspNetCore.Http;

namespace Flotta.EdgeApi.LogStreams;

/// <summary>Hands bytes on as they come, within bounds. Nothing is kept, and nothing is read of what lines say.</summary>
internal static class LogRelay
{
    public static async Task RunAsync(Stream from, HttpContext to, bool follow, LogLimits limits, TimeProvider time, CancellationToken stopping)
    {
        var most = follow ? limits.Following : limits.Whole;
        using var limit = new CancellationTokenSource(most, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stopping, to.RequestAborted);
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            to.Response.ContentType ??= "application/x-ndjson";
            await to.Response.StartAsync(either.Token);
            await to.Response.Body.FlushAsync(either.Token);
            var left = limits.Bytes;
            while (await from.ReadAsync(buffer, either.Token) is > 0 and var read)
            {
                if ((left -= read) < 0)
                {
                    await EndAsync(to, string.Create(CultureInfo.InvariantCulture, $"ended after {limits.Bytes >> 20} MiB; ask again with --since or --tail"));
                    return;
                }

                await WriteAsync(to, buffer.AsMemory(0, read), limits, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (to.RequestAborted.IsCancellationRequested)
        {
            // Nobody reads any more.
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            await EndAsync(to, string.Create(CultureInfo.InvariantCulture, $"ended after {most.TotalMinutes:0} minutes"));
        }
        catch (OperationCanceledException)
        {
            await EndAsync(to, "this replica of the Edge API stops; ask again");
        }
        catch (TimeoutException)
        {
            to.Abort();
        }
        catch (Exception error) when (error is IOException or HttpRequestException)
        {
            await EndAsync(to, "the connection to the device is lost");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task WriteAsync(HttpContext to, ReadOnlyMemory<byte> bytes, LogLimits limits, TimeProvider time, CancellationToken cancellationToken) =>
        await to.Response.Body.WriteAsync(bytes, cancellationToken).AsTask().WaitAsync(limits.Stall, time, cancellationToken);

    // What came before may have ended in the middle of a line.
    private static async Task EndAsync(HttpContext to, string why)
    {
        if (to.RequestAborted.IsCancellationRequested)
            return;
        byte[] line = [(byte)'\n', .. WireJson.Write(new LogRecord { End = why }, WireJson.Types.LogRecord), (byte)'\n'];
        await to.Response.Body.WriteAsync(line, to.RequestAborted);
    }
}
